package world

import (
	"net/http"
	"strconv"
	"strings"
)

// Blob is a file that a server offers.
type Blob struct {
	Type string // Content-Type; empty: application/octet-stream
	ETag string // quoted, as in the header; empty: none
	Size int64
	// Read gives n bytes from off; nil: the bytes stay unmade, only their number counts.
	Read func(off, n int64) []byte
}

// Content serves a blob: GET and HEAD, one Range, If-Range. Other methods get 405.
func Content(r *Request, b Blob) *Response {
	h := http.Header{"Accept-Ranges": {"bytes"}, "Content-Type": {b.Type}}
	if b.Type == "" {
		h.Set("Content-Type", "application/octet-stream")
	}
	if b.ETag != "" {
		h.Set("Etag", b.ETag)
	}
	resp := &Response{Status: http.StatusOK, Header: h}
	from, n := int64(0), b.Size
	if rg := r.Header.Get("Range"); rg != "" && fresh(r, b.ETag) {
		var ok, good bool
		if from, n, ok, good = parseRange(rg, b.Size); !good {
			resp.Status = http.StatusRequestedRangeNotSatisfiable
			h.Set("Content-Range", "bytes */"+strconv.FormatInt(b.Size, 10))
			return resp
		} else if ok {
			resp.Status = http.StatusPartialContent
			h.Set("Content-Range", "bytes "+strconv.FormatInt(from, 10)+"-"+
				strconv.FormatInt(from+n-1, 10)+"/"+strconv.FormatInt(b.Size, 10))
		}
	}
	h.Set("Content-Length", strconv.FormatInt(n, 10))
	switch r.Method {
	case http.MethodHead:
	case http.MethodGet, "":
		resp.Size = n
		if b.Read != nil {
			resp.Body = b.Read(from, n)
		}
	default:
		return &Response{Status: http.StatusMethodNotAllowed}
	}
	return resp
}

// fresh tells whether a Range header still counts: If-Range names the same version.
func fresh(r *Request, etag string) bool {
	cond := r.Header.Get("If-Range")
	return cond == "" || cond == etag
}

// parseRange reads "bytes=a-b", "bytes=a-" and "bytes=-n". Anything else is ignored (ok is
// false, n the whole); good is false if it asks for bytes that are not there.
func parseRange(s string, size int64) (from, n int64, ok, good bool) {
	spec, isBytes := strings.CutPrefix(s, "bytes=")
	a, b, hasDash := strings.Cut(spec, "-")
	if !isBytes || !hasDash || strings.Contains(spec, ",") {
		return 0, size, false, true
	}
	if a == "" {
		last, err := strconv.ParseUint(b, 10, 63)
		if err != nil {
			return 0, size, false, true
		}
		n = min(int64(last), size)
		return size - n, n, true, n > 0
	}
	first, err := strconv.ParseUint(a, 10, 63)
	if err != nil {
		return 0, size, false, true
	}
	end := uint64(max(size, 1) - 1)
	if b != "" {
		last, err := strconv.ParseUint(b, 10, 63)
		if err != nil || last < first {
			return 0, size, false, true
		}
		end = min(end, last)
	}
	if first >= uint64(size) {
		return 0, 0, true, false
	}
	return int64(first), int64(end-first) + 1, true, true
}
