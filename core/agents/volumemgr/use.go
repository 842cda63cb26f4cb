package volumemgr

import (
	"strings"

	"github.com/evetwin/evetwin/core/topics/content"
)

// use is what trees want of a blob.
type use struct {
	Sha        string
	Size       int64 // 0 when not known
	MediaType  string
	Count      uint // a blob that a tree lists twice counts twice
	Datastores []string
	Name       string // where the first tree has it from
	Max        uint64 // at most, bytes; 0: no limit
}

// wantParts notes what a tree wants of each of its parts, and has the blobs looked at for which
// that has changed.
func (a *volumemgr) wantParts(x *pass, tr *tree, old *unfolded) {
	uses := make([]use, 0, len(tr.Parts))
	at := make(map[string]int, len(tr.Parts))
	for n, p := range tr.Parts {
		k, found := at[p.Sha]
		if found {
			uses[k].join(&use{Size: p.Size, MediaType: p.MediaType, Count: 1})
			continue
		}
		u := use{Sha: p.Sha, Size: p.Size, MediaType: p.MediaType, Count: 1, Max: uint64(p.Size),
			Datastores: tr.cfg.DatastoreIDList, Name: tr.cfg.RelativeURL}
		if n == 0 {
			u.Max = tr.cfg.MaxDownloadSize
		}
		if tr.Tagged || n > 0 {
			u.Name = byDigest(tr.cfg, p.Sha)
		}
		at[p.Sha] = len(uses)
		uses = append(uses, u)
	}
	for i := range uses {
		w := wanting{Tree: tr.ContentID, Use: uses[i]}
		rev := a.wants.Rev(w.Key())
		if a.wants.Put(w); a.wants.Rev(w.Key()) != rev {
			x.blobs.Add(w.Use.Sha)
		}
	}
	for _, p := range old.Parts {
		if _, wanted := at[p.Sha]; !wanted {
			a.wants.Delete(p.Sha + "#" + tr.ContentID)
			x.blobs.Add(p.Sha)
		}
	}
}

// join adds what else is wanted of a blob.
func (u *use) join(o *use) {
	u.Count += o.Count
	u.Size = max(u.Size, o.Size)
	if u.MediaType == "" {
		u.MediaType = o.MediaType
	}
}

// useOf joins what all trees want of a blob; nil if none wants it.
func (a *volumemgr) useOf(sha string) *use {
	var out *use
	for _, w := range a.wants.Prefixed(sha + "#") {
		if out == nil {
			u := w.Use
			out = &u
		} else {
			out.join(&w.Use)
		}
	}
	return out
}

// isWanted reports whether a tree wants a blob.
func (a *volumemgr) isWanted(sha string) bool {
	for range a.wants.Prefixed(sha + "#") {
		return true
	}
	return false
}

// byDigest is the name of a blob in the repository of a tree.
func byDigest(cfg *content.ContentTreeConfig, sha string) string {
	name, _, _ := strings.Cut(cfg.RelativeURL, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name + "@sha256:" + sha
}
