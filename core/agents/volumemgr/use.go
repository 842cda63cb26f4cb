package volumemgr

import (
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/content"
)

// use is a blob that trees want.
type use struct {
	part
	Count      uint // a blob that a tree lists twice counts twice
	Datastores []string
	Name       string // where the first tree has it from
	Max        uint64 // at most, bytes; 0: no limit
}

// collectUses joins what all trees want, by hash.
func (x *pass) collectUses() {
	x.uses = nil
	at := map[string]int{}
	for i := range x.trees {
		tr := &x.trees[i]
		for n, p := range tr.parts {
			k, found := at[p.Sha]
			if found {
				u := &x.uses[k]
				u.Count++
				u.Size = max(u.Size, p.Size)
				if u.MediaType == "" {
					u.MediaType = p.MediaType
				}
				continue
			}
			u := use{part: p, Count: 1, Datastores: tr.cfg.DatastoreIDList, Name: tr.cfg.RelativeURL,
				Max: uint64(p.Size)}
			if n == 0 {
				u.Max = tr.cfg.MaxDownloadSize
			}
			if tr.tagged || n > 0 {
				u.Name = byDigest(tr.cfg, p.Sha)
			}
			at[p.Sha] = len(x.uses)
			x.uses = append(x.uses, u)
		}
	}
	slices.SortFunc(x.uses, func(a, b use) int { return strings.Compare(a.Sha, b.Sha) })
}

// find is where a blob stands in the uses, or belongs.
func (x *pass) find(sha string) (int, bool) {
	return slices.BinarySearchFunc(x.uses, sha,
		func(u use, sha string) int { return strings.Compare(u.Sha, sha) })
}

// wants reports whether a tree wants a blob.
func (x *pass) wants(sha string) bool {
	_, found := x.find(sha)
	return found
}

// byDigest is the name of a blob in the repository of a tree.
func byDigest(cfg *content.ContentTreeConfig, sha string) string {
	name, _, _ := strings.Cut(cfg.RelativeURL, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name + "@sha256:" + sha
}
