package data_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/evetwin/evetwin/controllersim/data"
)

// FuzzHandle: no path and no range makes a store panic, and a range is a piece of the whole.
func FuzzHandle(f *testing.F) {
	f.Add("/a", "bytes=1-3")
	f.Add("/v2/x/manifests/1", "bytes=-5")
	f.Add("/v2//blobs/sha256:", "bytes=99999999999999999999-")
	f.Add("/v2/tags/list", "bytes=--1")
	f.Add("/", "bytes=5-2")
	f.Fuzz(func(t *testing.T, path, span string) {
		s := data.New(data.Options{MakeUp: true})
		s.PutFile("a", []byte("0123456789"))
		whole := get(s, path)
		part := get(s, path, "Range", span)
		if part.Code == http.StatusPartialContent &&
			(len(part.Body) == 0 || !bytes.Contains(whole.Body, part.Body)) {
			t.Fatalf("%q %q: %d bytes that are no piece of %d", path, span, len(part.Body),
				len(whole.Body))
		}
	})
}
