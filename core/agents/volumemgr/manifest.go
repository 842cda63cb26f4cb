package volumemgr

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
)

// Media types of the documents that list others, of OCI and of Docker.
const (
	typeIndex          = "application/vnd.oci.image.index.v1+json"
	typeManifest       = "application/vnd.oci.image.manifest.v1+json"
	typeDockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

// readAgain is how long a disk that would not give a manifest is left alone.
const readAgain = time.Minute

// maxParts bounds what a manifest may list.
const maxParts = 500

// part is a blob as its parent lists it.
type part struct {
	Sha       string
	Size      int64 // 0 when not known
	MediaType string
	OS, Arch  string // of a manifest in an index
}

// manifest is what a manifest or index says, so that it is read once.
type manifest struct {
	Sha       string
	MediaType string
	Parts     []part // of an index: manifests; of a manifest: config, then layers
	Problem   string // why it is of no use
}

// Key is the hash.
func (m manifest) Key() string { return m.Sha }

var manifests = bus.NewTopic[manifest](bus.Decl{Owner: "volumemgr", Name: "Manifest",
	Life: bus.Local, MaxRows: 5000, MaxBytes: 256 << 10})

func isIndex(mediaType string) bool {
	return mediaType == typeIndex || mediaType == typeDockerIndex
}

// manifestOf reads a manifest that lies in the content store; nil while it is being read. The text
// is why it cannot be read.
func (a *volumemgr) manifestOf(x *pass, sha string) (m *manifest, wrong string) {
	if m = a.manifests.Get(sha); m != nil {
		return m, m.Problem
	}
	call := a.read.Want(sha, store.BlobReq{Sha256: sha})
	switch call.Phase {
	case agent.Done:
		a.manifests.Put(parseManifest(sha, call.Res.Data))
		a.read.Drop(sha)
		m = a.manifests.Get(sha)
		return m, m.Problem
	case agent.Failed:
		if again := call.Ended + readAgain; x.Now < again {
			x.WakeAt("read "+sha, again)
			return nil, "read manifest " + sha + ": " + call.Fault.Text
		}
		a.read.Redo(sha)
	}
	return nil, ""
}

// parseManifest reads an index or a manifest.
func parseManifest(sha string, data []byte) manifest {
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
		Platform  struct {
			OS           string `json:"os"`
			Architecture string `json:"architecture"`
		} `json:"platform"`
	}
	var doc struct {
		MediaType string       `json:"mediaType"`
		Manifests []descriptor `json:"manifests"`
		Config    *descriptor  `json:"config"`
		Layers    []descriptor `json:"layers"`
	}
	m := manifest{Sha: sha}
	if err := json.Unmarshal(data, &doc); err != nil {
		m.Problem = fmt.Sprintf("blob %s is not an image manifest: %v", sha, err)
		return m
	}
	m.MediaType = doc.MediaType
	list := doc.Manifests
	switch {
	case list != nil && m.MediaType == "":
		m.MediaType = typeIndex
	case list == nil && doc.Config != nil:
		list = append([]descriptor{*doc.Config}, doc.Layers...)
		if m.MediaType == "" {
			m.MediaType = typeManifest
		}
	}
	if len(list) > maxParts {
		m.Problem = fmt.Sprintf("manifest %s lists %d blobs, at most %d are supported", sha,
			len(list), maxParts)
		return m
	}
	if len(list) == 0 {
		m.Problem = "blob " + sha + " is not an image manifest: it lists nothing"
		return m
	}
	for _, d := range list {
		hash, ok := strings.CutPrefix(strings.ToLower(d.Digest), "sha256:")
		if !ok || !isSha256(hash) || d.Size < 0 {
			m.Problem = fmt.Sprintf("manifest %s lists %q, which is not a SHA-256", sha, d.Digest)
			return m
		}
		m.Parts = append(m.Parts, part{Sha: hash, Size: d.Size, MediaType: d.MediaType,
			OS: d.Platform.OS, Arch: d.Platform.Architecture})
	}
	return m
}

// choose picks the manifest of an index that runs on this machine.
func (m *manifest) choose(arch string) (part, string) {
	var have []string
	for _, p := range m.Parts {
		if p.OS == "linux" && p.Arch == arch {
			return p, ""
		}
		have = append(have, p.OS+"/"+p.Arch)
	}
	return part{}, "no manifest for linux/" + arch + ", only for " + strings.Join(have, ", ")
}

func isSha256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
