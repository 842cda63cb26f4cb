package volumemgr

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// tree is a content tree in this pass.
type tree struct {
	cfg    *content.ContentTreeConfig
	parts  []part // root first, then what it consists of, as far as known
	closed bool   // the parts are all
	tagged bool   // its root was found by a tag
	state  entity.SwState
	wrong  entity.ErrorDescription
}

// maxDepth bounds how deep indexes may be nested.
const maxDepth = 4

// Limits of what is in hand: blobs wanted by all trees together, tags being resolved at once.
const (
	maxUses     = content.MaxBlobs / 2
	maxResolves = 64
)

// findTrees finds out what every configured tree consists of, and asks for tags to be resolved.
func (a *volumemgr) findTrees(x *pass) {
	uses := 0
	for id, cfg := range a.treeConfigs.All() {
		tr := tree{cfg: cfg, state: entity.INITIAL}
		if wrong := a.invalid(cfg); wrong != "" {
			tr.wrong.Error = wrong
			a.retain(&tr)
		} else if a.known(cfg) {
			a.expand(x, &tr, a.root(&tr))
		} else {
			x.unread = true
		}
		if uses += len(tr.parts); uses > maxUses {
			uses -= len(tr.parts)
			tr.parts, tr.closed, tr.tagged = nil, false, false
			tr.wrong.Error = fmt.Sprintf("content trees consist of more than %d blobs", maxUses)
		}
		if a.treeConfigs.Complete() { // it is back, so its content stays
			a.deferred.Delete(id)
		}
		x.trees = append(x.trees, tr)
	}
	resolving, used := map[string]bool{}, make(map[string]bool, uses)
	for i := range x.trees {
		tr := &x.trees[i]
		if tr.state == entity.RESOLVING_TAG {
			resolving[resolveOf(tr.cfg).Key()] = true
		}
		for _, p := range tr.parts {
			used[p.Sha] = true
		}
	}
	a.resolves.Keep(func(key string) bool { return resolving[key] })
	for id := range a.latched.All() {
		if a.treeConfigs.Gone(id) {
			a.latched.Delete(id)
		}
	}
	a.manifests.Keep(func(sha string) bool { return used[sha] })
	a.read.Keep(func(sha string) bool { return used[sha] })
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
			tr.wrong.Error = "digest in " + cfg.RelativeURL + " is not 64 hexadecimal digits"
			return ""
		}
		return digest
	}
	tr.tagged = true
	l := a.latched.Get(cfg.ContentID)
	if l != nil && l.Generation == cfg.GenerationCounter &&
		(l.Name == "" || l.Name == cfg.RelativeURL) {
		return l.Hash
	}
	ask := resolveOf(cfg)
	tr.state = entity.RESOLVING_TAG
	if a.resolves.Get(ask.Key()) == nil && a.resolves.Len() >= maxResolves {
		return ""
	}
	a.resolves.Put(ask)
	st := a.resolved.Get(ask.Key())
	if st == nil || st.Of != a.resolves.Rev(ask.Key()) {
		return ""
	}
	tr.wrong = st.ErrorDescription
	if !isSha256(st.ImageSha256) {
		return ""
	}
	a.latched.Put(content.AppAndImageToHash{ContentID: cfg.ContentID, Name: cfg.RelativeURL,
		Generation: cfg.GenerationCounter, Hash: st.ImageSha256})
	tr.state, tr.wrong = entity.RESOLVED_TAG, entity.ErrorDescription{}
	return st.ImageSha256
}

// expand lists the parts of a tree from its root on.
func (a *volumemgr) expand(x *pass, tr *tree, root string) {
	if root == "" {
		return
	}
	tr.parts = []part{{Sha: root}}
	if !a.isRegistry(tr.cfg) {
		// How large a file is, nobody says; it has to fit if it is as large as it may be.
		tr.parts[0].Size, tr.closed = int64(min(tr.cfg.MaxDownloadSize, math.MaxInt64)), true
		return
	}
	if old := a.trees.Get(tr.cfg.ContentID); old != nil && a.remembers(old, root) {
		tr.parts, tr.closed = a.partsOf(old), true
		return
	}
	for range maxDepth {
		last := &tr.parts[len(tr.parts)-1]
		if a.seenBlobs.Get(last.Sha) == nil {
			return
		}
		m, wrong := a.manifestOf(x, last.Sha)
		x.unread = x.unread || m == nil
		if wrong != "" {
			tr.wrong.Error = wrong
			return
		}
		if m == nil {
			return
		}
		last.MediaType = m.MediaType
		if !isIndex(m.MediaType) {
			tr.parts, tr.closed = append(tr.parts, m.Parts...), true
			return
		}
		child, wrong := m.choose(a.arch())
		if wrong != "" {
			tr.wrong.Error = tr.cfg.RelativeURL + ": " + wrong
			return
		}
		tr.parts = append(tr.parts, child)
	}
	tr.wrong.Error = tr.cfg.RelativeURL + ": indexes are nested too deep"
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
		tr.parts, tr.closed = a.partsOf(old), true
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
