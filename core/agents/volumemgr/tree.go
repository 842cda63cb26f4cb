package volumemgr

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// tree is a content tree with what it was found to consist of.
type tree struct {
	unfolded
	cfg *content.ContentTreeConfig
}

// maxDepth bounds how deep indexes may be nested.
const maxDepth = 4

// Limits of what is in hand: blobs wanted by all trees together, tags being resolved at once.
const (
	maxUses     = content.MaxBlobs / 2
	maxResolves = 64
)

// findTrees finds out what trees consist of, and asks for tags to be resolved.
func (a *volumemgr) findTrees(x *pass) {
	for _, id := range take(&x.trees) {
		x.states.Add(id)
		cfg := a.treeConfigs.Get(id)
		if cfg == nil {
			if a.treeConfigs.Gone(id) {
				a.latched.Delete(id)
			}
			a.keepTree(x, &tree{unfolded: unfolded{ContentID: id}})
			continue
		}
		if a.treeConfigs.Complete() { // it is back, so its content stays
			a.deferred.Delete(id)
		}
		a.keepTree(x, a.findTree(x, cfg))
	}
	for _, key := range x.asks {
		if !a.isAsked(key) {
			a.resolves.Delete(key)
		}
	}
}

// findTree finds out what one tree consists of.
func (a *volumemgr) findTree(x *pass, cfg *content.ContentTreeConfig) *tree {
	tr := &tree{unfolded: unfolded{ContentID: cfg.ContentID, State: entity.INITIAL}, cfg: cfg}
	if wrong := a.invalid(cfg); wrong != "" {
		tr.Wrong.Error = wrong
		a.retain(tr)
	} else if a.known(cfg) {
		a.expand(x, tr, a.root(tr))
	} else {
		tr.Unread = true
	}
	others := x.Uses
	if old := a.unfolds.Get(cfg.ContentID); old != nil {
		others -= len(old.Parts)
	}
	if others+len(tr.Parts) > maxUses {
		tr.Parts, tr.Closed, tr.Tagged, tr.Refused = nil, false, false, true
		tr.Wrong.Error = fmt.Sprintf("content trees consist of more than %d blobs", maxUses)
	}
	return tr
}

// keepTree notes what a tree consists of, and has looked at whatever stands on it; without a
// configuration it is forgotten.
func (a *volumemgr) keepTree(x *pass, tr *tree) {
	id := tr.ContentID
	old, rev := unfolded{}, a.unfolds.Rev(id)
	if u := a.unfolds.Get(id); u != nil {
		old = *u
	}
	if tr.cfg == nil {
		a.unfolds.Delete(id)
	} else {
		a.unfolds.Put(tr.unfolded)
	}
	a.wantParts(x, tr, &old)
	if a.unfolds.Rev(id) == rev {
		return
	}
	x.moved.Add(id)
	if tr.cfg != nil {
		x.trees.Add(id)
	}
	if old.Ask != "" && old.Ask != tr.Ask {
		x.asks = append(x.asks, old.Ask)
	}
	x.roomy = x.roomy || len(tr.Parts) < len(old.Parts)
	x.Uses += len(tr.Parts) - len(old.Parts)
	if old.Refused {
		x.Refused--
	}
	if tr.Refused {
		x.Refused++
	}
}

// isAsked reports whether a tree waits for a resolution.
func (a *volumemgr) isAsked(key string) bool {
	for _, u := range a.unfolds.All() {
		if u.Ask == key {
			return true
		}
	}
	return false
}

// invalid says what is wrong with a config, empty if nothing.
func (a *volumemgr) invalid(cfg *content.ContentTreeConfig) string {
	oci := a.isRegistry(cfg)
	switch {
	case cfg.ParseError != "":
		return cfg.ParseError
	case cfg.ContentSha256 != "" && !isSha256(cfg.ContentSha256):
		return "content sha256 " + cfg.ContentSha256 + " is not 64 hexadecimal digits"
	case len(cfg.DatastoreIDList) == 0:
		return "no datastore defined"
	case oci && len(cfg.DatastoreIDList) > 1:
		return "more than one datastore is not supported for a container registry"
	case !oci && a.known(cfg) && cfg.ContentSha256 == "":
		return "no content sha256 defined"
	}
	for _, id := range cfg.DatastoreIDList {
		if a.datastores.Gone(id) {
			return "datastore " + id + " does not exist"
		}
	}
	return ""
}

// known reports whether all datastores of a tree are.
func (a *volumemgr) known(cfg *content.ContentTreeConfig) bool {
	for _, id := range cfg.DatastoreIDList {
		if a.datastores.Get(id) == nil {
			return false
		}
	}
	return true
}

// isRegistry reports whether a tree comes from a container registry.
func (a *volumemgr) isRegistry(cfg *content.ContentTreeConfig) bool {
	return slices.ContainsFunc(cfg.DatastoreIDList, func(id string) bool {
		ds := a.datastores.Get(id)
		return ds != nil && ds.DsType == content.DsContainerRegistry
	})
}

func resolveOf(cfg *content.ContentTreeConfig) content.ResolveConfig {
	return content.ResolveConfig{DatastoreID: cfg.DatastoreIDList[0], Name: cfg.RelativeURL,
		Counter: cfg.GenerationCounter}
}

// root is the hash of a tree's root, empty while its tag is not resolved. A tag is resolved once
// per generation; the answer is latched over reboots.
func (a *volumemgr) root(tr *tree) string {
	cfg := tr.cfg
	if cfg.ContentSha256 != "" {
		return cfg.ContentSha256
	}
	if _, digest, ok := strings.Cut(cfg.RelativeURL, "@sha256:"); ok {
		if digest = strings.ToLower(digest); !isSha256(digest) {
			tr.Wrong.Error = "digest in " + cfg.RelativeURL + " is not 64 hexadecimal digits"
			return ""
		}
		return digest
	}
	tr.Tagged = true
	l := a.latched.Get(cfg.ContentID)
	if l != nil && l.Generation == cfg.GenerationCounter &&
		(l.Name == "" || l.Name == cfg.RelativeURL) {
		return l.Hash
	}
	ask := resolveOf(cfg)
	tr.State, tr.Ask = entity.RESOLVING_TAG, ask.Key()
	if a.resolves.Get(ask.Key()) == nil && a.resolves.Len() >= maxResolves {
		return ""
	}
	a.resolves.Put(ask)
	st := a.resolved.Get(ask.Key())
	if st == nil || st.Of != a.resolves.Rev(ask.Key()) {
		return ""
	}
	tr.Wrong = st.ErrorDescription
	if !isSha256(st.ImageSha256) {
		return ""
	}
	a.latched.Put(content.AppAndImageToHash{ContentID: cfg.ContentID, Name: cfg.RelativeURL,
		Generation: cfg.GenerationCounter, Hash: st.ImageSha256})
	tr.State, tr.Ask, tr.Wrong = entity.INITIAL, "", entity.ErrorDescription{}
	return st.ImageSha256
}

// expand lists the parts of a tree from its root on.
func (a *volumemgr) expand(x *pass, tr *tree, root string) {
	if root == "" {
		return
	}
	tr.Parts = []part{{Sha: root}}
	if !a.isRegistry(tr.cfg) {
		// How large a file is, nobody says; it has to fit if it is as large as it may be.
		tr.Parts[0].Size, tr.Closed = int64(min(tr.cfg.MaxDownloadSize, math.MaxInt64)), true
		return
	}
	if old := a.trees.Get(tr.cfg.ContentID); old != nil && a.remembers(old, root) {
		tr.Parts, tr.Closed = a.partsOf(old), true
		return
	}
	for range maxDepth {
		last := &tr.Parts[len(tr.Parts)-1]
		if a.seenBlobs.Get(last.Sha) == nil {
			return
		}
		m, wrong := a.manifestOf(x, last.Sha)
		tr.Unread = tr.Unread || m == nil
		if wrong != "" {
			tr.Wrong.Error = wrong
			return
		}
		if m == nil {
			return
		}
		last.MediaType = m.MediaType
		if !isIndex(m.MediaType) {
			tr.Parts, tr.Closed = append(tr.Parts, m.Parts...), true
			return
		}
		child, wrong := m.choose(a.arch())
		if wrong != "" {
			tr.Wrong.Error = tr.cfg.RelativeURL + ": " + wrong
			return
		}
		tr.Parts = append(tr.Parts, child)
	}
	tr.Wrong.Error = tr.cfg.RelativeURL + ": indexes are nested too deep"
}

// remembers reports whether a published status of a loaded tree still holds, so that nothing has to
// be read again after a crash of the agent.
func (a *volumemgr) remembers(old *content.ContentTreeStatus, root string) bool {
	if old.State != entity.LOADED || len(old.Blobs) == 0 || old.Blobs[0] != root {
		return false
	}
	for _, sha := range old.Blobs {
		if a.seenBlobs.Get(sha) == nil || a.blobs.Get(sha) == nil {
			return false
		}
	}
	return true
}

// retain keeps the content of a tree that was loaded before its configuration came to make no
// sense: what is corrected need not be downloaded anew.
func (a *volumemgr) retain(tr *tree) {
	old := a.trees.Get(tr.cfg.ContentID)
	if old != nil && len(old.Blobs) > 0 && a.remembers(old, old.Blobs[0]) {
		tr.Parts, tr.Closed = a.partsOf(old), true
	}
}

func (a *volumemgr) partsOf(st *content.ContentTreeStatus) []part {
	var out []part
	for _, sha := range st.Blobs {
		b := a.blobs.Get(sha)
		out = append(out, part{Sha: sha, Size: int64(b.Size), MediaType: b.MediaType})
	}
	return out
}

// arch is the architecture of guests on this machine.
func (a *volumemgr) arch() string {
	if h := a.host.Get("host"); h != nil && h.Arch != "" {
		return h.Arch
	}
	return "amd64"
}
