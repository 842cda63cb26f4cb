package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options shape a store.
type Options struct {
	// Host names the server in the list of made-up content, and made-up content depends on it.
	Host string
	// MakeUp makes content up that the store does not hold.
	MakeUp bool
	// Pretend serves made-up content under a demanded digest. For virtual time only.
	Pretend bool
	// Modified is the time all content was last modified; the zero time means 1 January 2020.
	Modified time.Time
}

// Made is one thing that was made up.
type Made struct {
	// Ref is what was asked for: "host/path", or "host/repository:tag" or "host/repository@digest".
	Ref string `json:"ref"`
	// Kind is "file" or "image".
	Kind string `json:"kind"`
	// Bytes is the size of the file, or of all the image's parts.
	Bytes int64 `json:"bytes"`
	// SHA256 is the digest, in hex, that it is served under.
	SHA256 string `json:"sha256"`
	// Pretended tells that its bytes have another digest.
	Pretended bool `json:"pretended,omitempty"`
}

// blob is content with the digest it goes by.
type blob struct {
	body      []byte
	sha       string // hex
	pretended bool
	mediaType string // of manifests
}

// Store is the content of one server. It may be used from several goroutines.
type Store struct {
	opts Options

	mu        sync.Mutex
	files     map[string]*blob // by path without the leading slash
	blobs     map[string]*blob // by digest in hex
	manifests map[string]*blob // by "repository:tag" and "repository@sha256:digest"
	demands   map[string]string
	made      []Made
	guard     Guard
	tokens    map[string]time.Time // good until
}

// New makes an empty store.
func New(o Options) *Store {
	if o.Modified.IsZero() {
		o.Modified = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &Store{
		opts: o, files: map[string]*blob{}, blobs: map[string]*blob{},
		manifests: map[string]*blob{}, demands: map[string]string{},
	}
}

func newBlob(body []byte) *blob {
	sum := sha256.Sum256(body)
	return &blob{body: body, sha: hex.EncodeToString(sum[:])}
}

// PutFile serves body at a path, and returns its digest in hex. The body is kept, not copied.
func (s *Store) PutFile(path string, body []byte) string {
	b := newBlob(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[strings.TrimPrefix(path, "/")] = b
	return b.sha
}

// PutImage serves an image as repository:tag, and returns the digest of its manifest in hex.
func (s *Store) PutImage(repository, tag string, image Image) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.putImage(repository, tag, image).sha
}

// putImage needs s.mu.
func (s *Store) putImage(repository, tag string, image Image) *blob {
	for _, child := range image.Children {
		s.putImage(repository, "", child)
	}
	for _, body := range image.Blobs {
		b := newBlob(body)
		s.blobs[b.sha] = b
	}
	m := newBlob(image.Manifest)
	m.mediaType = image.MediaType
	s.manifests[repository+"@sha256:"+m.sha] = m
	if tag != "" {
		s.manifests[repository+":"+tag] = m
	}
	return m
}

// Remove takes a file, or an image as "repository:tag", away; blobs stay.
func (s *Store) Remove(ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, strings.TrimPrefix(ref, "/"))
	delete(s.manifests, ref)
}

// Corrupt flips a bit in the middle of a file, which keeps the size. The digest that the file was
// put with stays what PutFile returned.
func (s *Store) Corrupt(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.files[strings.TrimPrefix(path, "/")]
	if b == nil || len(b.body) == 0 {
		return fmt.Errorf("corrupt %s: there is no such file with content", path)
	}
	body := slices.Clone(b.body)
	body[len(body)/2] ^= 0x10
	s.files[strings.TrimPrefix(path, "/")] = newBlob(body)
	return nil
}

// Demand declares the digest in hex that a configuration asks of a file, by its path, or of an
// image, as "repository:tag". It matters only if the content has to be made up.
func (s *Store) Demand(ref, sha string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.demands[strings.TrimPrefix(ref, "/")] = strings.ToLower(sha)
}

// Made lists what was made up, in the order it was asked for first.
func (s *Store) Made() []Made {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.made)
}

func (s *Store) file(path string) *blob {
	path = strings.TrimPrefix(path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.files[path]; b != nil {
		return b
	}
	if !s.opts.MakeUp || path == "" || strings.HasSuffix(path, "/") {
		return nil
	}
	b := newBlob(makeUpDisk(s.opts.Host + "/" + path))
	b.pretend(s.opts, s.demands[path])
	s.files[path] = b
	s.made = append(s.made, Made{
		Ref: s.opts.Host + "/" + path, Kind: "file", Bytes: int64(len(b.body)), SHA256: b.sha,
		Pretended: b.pretended,
	})
	return b
}

// pretend puts made-up content under a demanded digest.
func (b *blob) pretend(o Options, sha string) {
	if o.Pretend && sha != "" && sha != b.sha {
		b.sha, b.pretended = sha, true
	}
}

// manifest finds a manifest by tag or by "sha256:digest".
func (s *Store) manifest(repository, ref string) *blob {
	key := repository + ":" + ref
	sha, byDigest := strings.CutPrefix(ref, "sha256:")
	if byDigest {
		key = repository + "@" + ref
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.manifests[key]; m != nil {
		return m
	}
	if !s.opts.MakeUp || byDigest && !s.opts.Pretend {
		return nil
	}
	if !byDigest {
		sha = s.demands[key]
	}
	image := makeUpImage(s.opts.Host + "/" + repository + ":" + ref)
	m := s.putImage(repository, "", image)
	m.pretend(s.opts, sha)
	s.manifests[key] = m
	s.manifests[repository+"@sha256:"+m.sha] = m
	s.made = append(s.made, Made{
		Ref: s.opts.Host + "/" + key, Kind: "image", Bytes: image.size(), SHA256: m.sha,
		Pretended: m.pretended,
	})
	return m
}

// content finds a blob of a registry by its digest in hex.
func (s *Store) content(sha string) *blob {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blobs[sha]
}

// tags lists the tags of a repository in order.
func (s *Store) tags(repository string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for key := range s.manifests {
		if tag, ok := strings.CutPrefix(key, repository+":"); ok && !strings.Contains(tag, "/") {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return out
}
