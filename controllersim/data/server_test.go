package data_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/controllersim/data"
)

func serve(t *testing.T, s *data.Store, o data.ServerOptions) *httptest.Server {
	t.Helper()
	h, done, err := s.Server(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Close()
		if err := done(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func fetch(t *testing.T, method, url, span string, body []byte) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if span != "" {
		req.Header.Set("Range", span)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, got
}

// The server and the pure function give the same answers.
func TestServerAnswersAsTheFunctionDoes(t *testing.T) {
	s := data.New(data.Options{Host: "h", MakeUp: true})
	s.PutFile("/a", []byte("0123456789"))
	srv := serve(t, s, data.ServerOptions{})
	img, err := data.ImageSpec{Arch: "amd64", Files: []data.File{{Path: "f"}}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	sha := s.PutImage("own", "1", img)
	for _, c := range []struct{ path, span string }{
		{"/a", ""}, {"/a", "bytes=3-"}, {"/a", "bytes=-3"}, {"/a", "bytes=20-"}, {"/made/up.img", ""},
		{"/v2/own/manifests/1", ""}, {"/v2/own/manifests/sha256:" + sha, ""},
		{"/v2/own/blobs/sha256:" + shaOf(img.Blobs[1]), "bytes=5-"}, {"/v2/made/up/manifests/x", ""},
		{"/v2/own/blobs/sha256:" + shaOf([]byte("none")), ""}, {"/folder/", ""},
	} {
		want := get(s, c.path, "Range", c.span)
		got, body := fetch(t, "GET", srv.URL+c.path, c.span, nil)
		if got.StatusCode != want.Code || want.Code < 300 && !bytes.Equal(body, want.Body) {
			t.Errorf("%s %s: %d with %d bytes, the function: %d with %d", c.path, c.span,
				got.StatusCode, len(body), want.Code, len(want.Body))
		}
		w, g := want.Header.Get("Content-Range"), got.Header.Get("Content-Range")
		if want.Code == http.StatusPartialContent && w != g {
			t.Errorf("%s %s: range %q, the function's %q", c.path, c.span, g, w)
		}
	}
}

func TestServerTakesPushes(t *testing.T) {
	s := data.New(data.Options{})
	srv := serve(t, s, data.ServerOptions{})
	spec := data.ImageSpec{Arch: "amd64", Files: []data.File{{Path: "f", Body: []byte("x")}}}
	img, err := spec.Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range img.Blobs {
		r, text := fetch(t, "POST", srv.URL+"/v2/mine/blobs/uploads/?digest=sha256:"+shaOf(b), "", b)
		if r.StatusCode != http.StatusCreated {
			t.Fatalf("push blob: %d %s", r.StatusCode, text)
		}
	}
	wrong := srv.URL + "/v2/mine/blobs/uploads/?digest=sha256:" + shaOf([]byte("y"))
	if r, _ := fetch(t, "POST", wrong, "",
		[]byte("z")); r.StatusCode < 400 {
		t.Errorf("push of another digest: %d", r.StatusCode)
	}
	if r, text := fetch(t, "PUT", srv.URL+"/v2/mine/manifests/1", "",
		img.Manifest); r.StatusCode != http.StatusCreated {
		t.Fatalf("push manifest: %d %s", r.StatusCode, text)
	}
	if r, body := fetch(t, "GET", srv.URL+"/v2/mine/manifests/1", "", nil); r.StatusCode != 200 ||
		!bytes.Equal(body, img.Manifest) {
		t.Errorf("pull: %d", r.StatusCode)
	}
}

func TestServerOfAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "big.img"), []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	srv := serve(t, data.New(data.Options{}), data.ServerOptions{Dir: dir})
	if r, body := fetch(t, "GET", srv.URL+"/big.img", "bytes=4-5", nil); r.StatusCode != 206 ||
		string(body) != "45" {
		t.Errorf("range of a file: %d %q", r.StatusCode, body)
	}
	for _, path := range []string{"/link", "/", "/nothing", "/..%2fsecret"} {
		if r, body := fetch(t, "GET", srv.URL+path, "", nil); r.StatusCode != 404 {
			t.Errorf("%s: %d %q", path, r.StatusCode, body)
		}
	}
	if _, _, err := data.New(data.Options{}).Server(data.ServerOptions{Dir: dir + "/no"}); err == nil {
		t.Errorf("a folder that does not exist is served")
	}
}
