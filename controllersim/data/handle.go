package data

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Pretended is the header of an answer whose bytes go by a digest that is not theirs. Its value is
// "sha256:" and the digest in hex.
const Pretended = "X-Evetwin-Pretended"

// Request is one HTTP request.
type Request struct {
	// Method is GET or HEAD.
	Method string
	// Path is the URL's path.
	Path string
	// Header holds the headers with canonical names; only Range, If-Range and Authorization matter.
	Header http.Header
	// Now is the time of the server, for tokens.
	Now time.Time
}

// Response is the answer to a request.
type Response struct {
	// Code is the HTTP status.
	Code int
	// Header holds the headers. Content-Length is the size of the body that GET has, also for HEAD.
	Header http.Header
	// Body is the body, empty for HEAD. It is shared with the store and must not be changed.
	Body []byte
}

// Handle answers a request for a file or, below /v2/, for something of the registry.
func (s *Store) Handle(req Request) Response {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return Response{Code: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {"GET, HEAD"}}}
	}
	if r := s.refuse(req); r != nil {
		return *r
	}
	if req.Path == "/v2" || strings.HasPrefix(req.Path, "/v2/") {
		return s.registry(req, strings.TrimPrefix(strings.TrimPrefix(req.Path, "/v2"), "/"))
	}
	b := s.file(req.Path)
	if b == nil {
		return Response{Code: http.StatusNotFound}
	}
	return s.serve(req, b, http.Header{
		"Content-Type":  {"application/octet-stream"},
		"Etag":          {`"` + b.sha + `"`},
		"Last-Modified": {s.opts.Modified.UTC().Format(http.TimeFormat)},
	})
}

// serve answers with content, or a range of it.
func (s *Store) serve(req Request, b *blob, h http.Header) Response {
	h.Set("Accept-Ranges", "bytes")
	if b.pretended {
		h.Set(Pretended, "sha256:"+b.sha)
	}
	r := Response{Code: http.StatusOK, Header: h, Body: b.body}
	if text := req.Header.Get("Range"); text != "" && current(req.Header, h) {
		from, to, ok := parseRange(text, len(b.body))
		switch {
		case !ok:
		case from >= to:
			h.Set("Content-Range", fmt.Sprintf("bytes */%d", len(b.body)))
			return Response{Code: http.StatusRequestedRangeNotSatisfiable, Header: h}
		default:
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(b.body)))
			r.Code, r.Body = http.StatusPartialContent, b.body[from:to:to]
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(r.Body)))
	if req.Method == http.MethodHead {
		r.Body = nil
	}
	return r
}

// current tells whether the content is still what If-Range names.
func current(req, answer http.Header) bool {
	want := req.Get("If-Range")
	return want == "" || want == answer.Get("Etag") || want == answer.Get("Last-Modified")
}

// parseRange reads a single range of bytes as the half-open interval [from, to); from >= to if it
// lies outside. It is false for what is to be ignored: another unit, several ranges, nonsense.
func parseRange(text string, size int) (from, to int, ok bool) {
	spec, found := strings.CutPrefix(text, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !found || !dash || strings.Contains(spec, ",") {
		return 0, 0, false
	}
	if first == "" {
		n, err := strconv.Atoi(last)
		if err != nil || n < 0 {
			return 0, 0, false
		}
		return max(0, size-n), size, true
	}
	from, err := strconv.Atoi(first)
	if err != nil || from < 0 {
		return 0, 0, false
	}
	to = size
	if last != "" {
		n, err := strconv.Atoi(last)
		if err != nil || n < from {
			return 0, 0, false
		}
		to = min(size, n+1)
	}
	return from, to, true
}

// registry answers a request of the OCI distribution API; path is without /v2/.
func (s *Store) registry(req Request, path string) Response {
	if path == "" {
		return jsonReply(req, http.StatusOK, struct{}{})
	}
	if repo, ok := strings.CutSuffix(path, "/tags/list"); ok {
		tags := s.tags(repo)
		if tags == nil {
			return registryError(req, "NAME_UNKNOWN", repo)
		}
		return jsonReply(req, http.StatusOK, map[string]any{"name": repo, "tags": tags})
	}
	if i := strings.LastIndex(path, "/manifests/"); i > 0 {
		repo, ref := path[:i], path[i+len("/manifests/"):]
		m := s.manifest(repo, ref)
		if m == nil {
			return registryError(req, "MANIFEST_UNKNOWN", repo+" "+ref)
		}
		return s.serve(req, m, http.Header{
			"Content-Type": {m.mediaType}, "Docker-Content-Digest": {"sha256:" + m.sha},
		})
	}
	if i := strings.LastIndex(path, "/blobs/"); i > 0 {
		sha, ok := strings.CutPrefix(path[i+len("/blobs/"):], "sha256:")
		b := s.content(sha)
		if !ok || b == nil {
			return registryError(req, "BLOB_UNKNOWN", path[i+len("/blobs/"):])
		}
		return s.serve(req, b, http.Header{
			"Content-Type": {"application/octet-stream"}, "Docker-Content-Digest": {"sha256:" + b.sha},
		})
	}
	return registryError(req, "UNSUPPORTED", path)
}

func registryError(req Request, code, detail string) Response {
	return jsonReply(req, http.StatusNotFound, map[string]any{
		"errors": []map[string]string{{"code": code, "message": "unknown: " + detail}},
	})
}

func jsonReply(req Request, code int, v any) Response {
	body, err := json.Marshal(v)
	if err != nil {
		return Response{Code: http.StatusInternalServerError}
	}
	r := Response{Code: code, Body: body, Header: http.Header{
		"Content-Type":                    {"application/json"},
		"Content-Length":                  {strconv.Itoa(len(body))},
		"Docker-Distribution-Api-Version": {"registry/2.0"},
	}}
	if req.Method == http.MethodHead {
		r.Body = nil
	}
	return r
}
