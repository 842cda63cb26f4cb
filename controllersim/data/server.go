package data

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ServerOptions shape a server.
type ServerOptions struct {
	// Dir is a folder whose files are served too, where the store holds none of that path; "" for
	// none. Large disk images belong here: they are read as they are sent.
	Dir string
}

// server is a store behind net/http.
type server struct {
	store    *Store
	registry http.Handler
	dir      *os.Root
	files    http.Handler

	mu     sync.Mutex
	loaded map[string]bool // manifests that the registry was given, by key
}

var (
	_ registry.BlobHandler     = blobs{}
	_ registry.BlobStatHandler = blobs{}
	_ registry.BlobPutHandler  = blobs{}
)

// Server is the store's content for real clients: files by net/http, with ranges, and images by
// go-containerregistry's registry, which takes pushes too. The registry shares the store's
// blobs and is given its manifests as they are asked for. The second result frees the folder.
func (s *Store) Server(o ServerOptions) (http.Handler, func() error, error) {
	if s.opts.Pretend {
		return nil, nil, fmt.Errorf("serve %s: a store that pretends is for virtual time", s.opts.Host)
	}
	srv := &server{
		store: s, loaded: map[string]bool{},
		registry: registry.New(
			registry.WithBlobHandler(blobs{s}), registry.Logger(log.New(io.Discard, "", 0)),
		),
	}
	done := func() error { return nil }
	if o.Dir != "" {
		root, err := os.OpenRoot(o.Dir)
		if err != nil {
			return nil, nil, fmt.Errorf("serve files: %w", err)
		}
		srv.dir, srv.files, done = root, http.FileServerFS(root.FS()), root.Close
	}
	return srv, done, nil
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refused := s.store.refuse(Request{Method: r.Method, Path: r.URL.Path, Header: r.Header,
		Now: time.Now()})
	if refused != nil {
		for name, values := range refused.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(refused.Code)
		_, _ = w.Write(refused.Body)
		return
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch path := strings.TrimPrefix(r.URL.Path, "/"); {
	case path == "v2" || strings.HasPrefix(path, "v2/"):
		s.serveImage(w, r, strings.TrimPrefix(path, "v2/"), read)
	case !read:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case s.inFolder(path):
		s.files.ServeHTTP(w, r)
	default:
		s.serveContent(w, r, s.store.file(path))
	}
}

// serveImage answers below /v2/. Blobs are read here, because the registry takes no range
// without an end; all else is the registry's.
func (s *server) serveImage(w http.ResponseWriter, r *http.Request, path string, read bool) {
	if _, digest, ok := cutLast(path, "/blobs/"); ok && read {
		if b := s.store.content(strings.TrimPrefix(digest, "sha256:")); b != nil {
			w.Header().Set("Docker-Content-Digest", digest)
			s.serveContent(w, r, b)
			return
		}
	}
	if repo, ref, ok := cutLast(path, "/manifests/"); ok && read {
		if err := s.load(repo, ref); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	s.registry.ServeHTTP(w, r)
}

func (s *server) serveContent(w http.ResponseWriter, r *http.Request, b *blob) {
	if b == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Etag", `"`+b.sha+`"`)
	http.ServeContent(w, r, "", s.store.opts.Modified, bytes.NewReader(b.body))
}

// inFolder tells whether a path is a file of the folder and none of the store.
func (s *server) inFolder(path string) bool {
	if s.dir == nil || !s.store.lacksFile(path) {
		return false
	}
	st, err := s.dir.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

func cutLast(text, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return "", "", false
	}
	return text[:i], text[i+len(sep):], true
}

func (s *Store) lacksFile(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[strings.TrimPrefix(path, "/")] == nil
}

// load gives the registry a manifest of the store, and before it those that it names.
func (s *server) load(repo, ref string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loadLocked(repo, ref)
}

func (s *server) loadLocked(repo, ref string) error {
	key := repo + " " + ref
	if s.loaded[key] {
		return nil
	}
	m := s.store.manifest(repo, ref)
	if m == nil {
		return nil // the registry may have it from a push, or answers that nobody has
	}
	if index, err := v1.ParseIndexManifest(bytes.NewReader(m.body)); err == nil {
		for _, d := range index.Manifests {
			if err := s.loadLocked(repo, d.Digest.String()); err != nil {
				return err
			}
		}
	}
	put, err := http.NewRequest(http.MethodPut, "/v2/"+repo+"/manifests/"+ref,
		bytes.NewReader(m.body))
	if err != nil {
		return fmt.Errorf("load manifest %s of %s: %w", ref, repo, err)
	}
	put.Header.Set("Content-Type", m.mediaType)
	w := &answer{header: http.Header{}, code: http.StatusOK}
	s.registry.ServeHTTP(w, put)
	if w.code != http.StatusCreated {
		return fmt.Errorf("load manifest %s of %s: registry answers %d: %s", ref, repo, w.code,
			w.body.String())
	}
	s.loaded[key] = true
	return nil
}

// answer collects what a handler answers.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header is the answer's headers.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(code int) { a.code = code }

// Write keeps the body.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// blobs lets the registry use the store's blobs.
type blobs struct{ store *Store }

// Get opens a blob.
func (b blobs) Get(_ context.Context, _ string, h v1.Hash) (io.ReadCloser, error) {
	c := b.store.content(h.Hex)
	if c == nil {
		return nil, registry.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(c.body)), nil
}

// Stat is the size of a blob.
func (b blobs) Stat(_ context.Context, _ string, h v1.Hash) (int64, error) {
	c := b.store.content(h.Hex)
	if c == nil {
		return 0, registry.ErrNotFound
	}
	return int64(len(c.body)), nil
}

// Put stores a blob that a client pushes; the registry checks its digest while it is read.
func (b blobs) Put(_ context.Context, _ string, h v1.Hash, rc io.ReadCloser) error {
	body, err := io.ReadAll(rc)
	if err != nil {
		return fmt.Errorf("store blob %s: %w", h, err)
	}
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.store.blobs[h.Hex] = &blob{body: body, sha: h.Hex}
	return nil
}
