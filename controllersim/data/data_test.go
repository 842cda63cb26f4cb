package data_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/controllersim/data"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func get(s *data.Store, path string, header ...string) data.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return s.Handle(data.Request{Method: "GET", Path: path, Header: h})
}

func shaOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func TestFileRanges(t *testing.T) {
	s := data.New(data.Options{})
	body := []byte("0123456789")
	if sha := s.PutFile("/dir/a", body); sha != shaOf(body) {
		t.Errorf("digest %s", sha)
	}
	full := get(s, "/dir/a")
	etag := full.Header.Get("Etag")
	for _, c := range []struct {
		headers []string
		code    int
		body    string
		span    string
	}{
		{nil, 200, "0123456789", ""},
		{[]string{"Range", "bytes=0-3"}, 206, "0123", "bytes 0-3/10"},
		{[]string{"Range", "bytes=7-"}, 206, "789", "bytes 7-9/10"},
		{[]string{"Range", "bytes=-2"}, 206, "89", "bytes 8-9/10"},
		{[]string{"Range", "bytes=8-99"}, 206, "89", "bytes 8-9/10"},
		{[]string{"Range", "bytes=-99"}, 206, "0123456789", "bytes 0-9/10"},
		{[]string{"Range", "bytes=10-"}, 416, "", "bytes */10"},
		{[]string{"Range", "bytes=-0"}, 416, "", "bytes */10"},
		{[]string{"Range", "bytes=3-1"}, 200, "0123456789", ""},
		{[]string{"Range", "bytes=0-1,3-4"}, 200, "0123456789", ""},
		{[]string{"Range", "lines=0-1"}, 200, "0123456789", ""},
		{[]string{"Range", "bytes=7-", "If-Range", etag}, 206, "789", "bytes 7-9/10"},
		{[]string{"Range", "bytes=7-", "If-Range", `"old"`}, 200, "0123456789", ""},
	} {
		r := get(s, "/dir/a", c.headers...)
		if r.Code != c.code || string(r.Body) != c.body || r.Header.Get("Content-Range") != c.span {
			t.Errorf("%v: %d %q %q", c.headers, r.Code, r.Body, r.Header.Get("Content-Range"))
		}
	}
	if full.Header.Get("Accept-Ranges") != "bytes" || full.Header.Get("Content-Length") != "10" ||
		full.Header.Get("Last-Modified") != "Wed, 01 Jan 2020 00:00:00 GMT" {
		t.Errorf("headers %v", full.Header)
	}
	head := s.Handle(data.Request{Method: "HEAD", Path: "/dir/a"})
	if head.Code != 200 || head.Body != nil || head.Header.Get("Content-Length") != "10" {
		t.Errorf("HEAD: %d %q %v", head.Code, head.Body, head.Header)
	}
	if r := get(s, "/dir/b"); r.Code != 404 {
		t.Errorf("unknown file: %d", r.Code)
	}
	if r := s.Handle(data.Request{Method: "PUT", Path: "/dir/a"}); r.Code != 405 {
		t.Errorf("PUT: %d", r.Code)
	}
	if err := s.Corrupt("dir/a"); err != nil {
		t.Fatal(err)
	}
	if r := get(s, "/dir/a"); len(r.Body) != 10 || bytes.Equal(r.Body, body) ||
		string(body) != "0123456789" {
		t.Errorf("corrupted: %q, given %q", r.Body, body)
	}
	s.Remove("dir/a")
	if r := get(s, "/dir/a"); r.Code != 404 || s.Corrupt("dir/a") == nil {
		t.Errorf("removed: %d", r.Code)
	}
}

// pull loads an image as a device does and returns the files of its layer, checking each digest.
func pull(t *testing.T, s *data.Store, repo, ref, arch string) map[string]string {
	t.Helper()
	top := get(s, "/v2/"+repo+"/manifests/"+ref)
	if top.Code != 200 {
		t.Fatalf("%s:%s: %d", repo, ref, top.Code)
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(top.Body, &index); err != nil {
		t.Fatal(err)
	}
	body := top.Body
	for _, d := range index.Manifests {
		if d.Platform.Architecture == arch {
			body = get(s, "/v2/"+repo+"/manifests/"+d.Digest.String()).Body
			if shaOf(body) != d.Digest.Hex || int64(len(body)) != d.Size {
				t.Errorf("manifest of %s has another digest or size", arch)
			}
		}
	}
	var m v1.Manifest
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	cfg := get(s, "/v2/"+repo+"/blobs/"+m.Config.Digest.String()).Body
	var file v1.ConfigFile
	if err := json.Unmarshal(cfg, &file); err != nil || file.Architecture != arch ||
		shaOf(cfg) != m.Config.Digest.Hex {
		t.Errorf("configuration: %v, %+v", err, file)
	}
	files := map[string]string{}
	for i, l := range m.Layers {
		packed := get(s, "/v2/"+repo+"/blobs/"+l.Digest.String()).Body
		if shaOf(packed) != l.Digest.Hex || int64(len(packed)) != l.Size {
			t.Errorf("layer %d has another digest or size", i)
		}
		unpack(t, packed, file.RootFS.DiffIDs[i].Hex, files)
	}
	return files
}

func unpack(t *testing.T, packed []byte, diffID string, into map[string]string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if shaOf(layer) != diffID {
		t.Errorf("layer has another diff ID")
	}
	r := tar.NewReader(bytes.NewReader(layer))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		into[h.Name] = string(b) + h.Linkname
	}
}

func TestRegistryServesImages(t *testing.T) {
	s := data.New(data.Options{})
	img, err := data.ImageSpec{
		Arch: "amd64", Entrypoint: []string{"/bin/web"}, Ports: []string{"80/tcp"},
		Files: []data.File{{Path: "bin/web", Mode: 0o755, Body: []byte("ELF")},
			{Path: "bin/link", Link: "web"}},
	}.Build()
	if err != nil {
		t.Fatal(err)
	}
	sha := s.PutImage("library/web", "1", img)
	files := pull(t, s, "library/web", "1", "amd64")
	if files["bin/web"] != "ELF" || files["bin/link"] != "web" || len(files) != 3 {
		t.Errorf("files: %v", files)
	}
	byDigest := get(s, "/v2/library/web/manifests/sha256:"+sha)
	if byDigest.Code != 200 || byDigest.Header.Get("Docker-Content-Digest") != "sha256:"+sha ||
		byDigest.Header.Get("Content-Type") != img.MediaType {
		t.Errorf("by digest: %d %v", byDigest.Code, byDigest.Header)
	}
	if r := get(s, "/v2/library/web/blobs/sha256:"+shaOf(img.Blobs[1]), "Range", "bytes=1-"); r.Code !=
		206 || !bytes.Equal(r.Body, img.Blobs[1][1:]) {
		t.Errorf("range of a blob: %d", r.Code)
	}
	for path, want := range map[string]int{
		"/v2/": 200, "/v2": 200, "/v2/library/web/tags/list": 200, "/v2/other/tags/list": 404,
		"/v2/library/web/manifests/2": 404, "/v2/library/web/blobs/sha256:00": 404,
		"/v2/library/web/nonsense": 404,
	} {
		r := get(s, path)
		if r.Code != want || r.Header.Get("Content-Type") != "application/json" || !json.Valid(r.Body) {
			t.Errorf("%s: %d %v %s", path, r.Code, r.Header, r.Body)
		}
	}
	again, err := data.Index([]string{"amd64"}, nil)
	if err == nil {
		t.Errorf("index without images: %v", again)
	}
}

func TestMadeUpContentDependsOnItsName(t *testing.T) {
	a, b := data.New(data.Options{Host: "far", MakeUp: true}), data.New(data.Options{
		Host: "far", MakeUp: true})
	for _, path := range []string{"/x/disk.img", "/x/disk.qcow2", "/v2/library/nginx/manifests/1.25"} {
		one, two := get(a, path), get(b, path)
		if one.Code != 200 || !bytes.Equal(one.Body, two.Body) || one.Header.Get(data.Pretended) != "" {
			t.Errorf("%s: %d, %d and %d bytes", path, one.Code, len(one.Body), len(two.Body))
		}
		if other := get(a, strings.Replace(path, "x/", "y/", 1)+"9"); bytes.Equal(other.Body, one.Body) {
			t.Errorf("%s: another name gives the same content", path)
		}
	}
	if q := get(a, "/x/disk.qcow2").Body; string(q[:4]) != "QFI\xfb" {
		t.Errorf("QCOW2 begins with %q", q[:4])
	}
	for _, arch := range []string{"amd64", "arm64"} {
		files := pull(t, a, "library/nginx", "1.25", arch)
		if files["etc/evetwin/made-up"] != "far/library/nginx:1.25\n" {
			t.Errorf("made-up image holds %q", files["etc/evetwin/made-up"])
		}
	}
	made := b.Made()
	if len(made) != 3 || made[0].Ref != "far/x/disk.img" || made[0].Kind != "file" ||
		made[0].Bytes != 64<<10 || made[2].Ref != "far/library/nginx:1.25" || made[2].Kind != "image" {
		t.Errorf("made: %+v", made)
	}
	if r := get(a, "/v2/library/nginx/manifests/sha256:"+strings.Repeat("0", 64)); r.Code != 404 {
		t.Errorf("unknown digest without pretending: %d", r.Code)
	}
	if r := get(data.New(data.Options{}), "/x"); r.Code != 404 {
		t.Errorf("made up without leave: %d", r.Code)
	}
}

func TestPretendedDigests(t *testing.T) {
	s := data.New(data.Options{Host: "far", MakeUp: true, Pretend: true})
	want := strings.Repeat("ab", 32)
	s.Demand("/disk.img", strings.ToUpper(want))
	s.Demand("app:1", want)
	file := get(s, "/disk.img", "Range", "bytes=0-9")
	if file.Code != 206 || file.Header.Get(data.Pretended) != "sha256:"+want {
		t.Errorf("file: %d %v", file.Code, file.Header)
	}
	for _, ref := range []string{"1", "sha256:" + want} {
		r := get(s, "/v2/app/manifests/"+ref)
		if r.Code != 200 || r.Header.Get(data.Pretended) != "sha256:"+want ||
			r.Header.Get("Docker-Content-Digest") != "sha256:"+want {
			t.Errorf("%s: %d %v", ref, r.Code, r.Header)
		}
	}
	other := strings.Repeat("cd", 32)
	r := get(s, "/v2/app/manifests/sha256:"+other)
	if r.Header.Get(data.Pretended) != "sha256:"+other {
		t.Errorf("by digest alone: %d %v", r.Code, r.Header)
	}
	if r := get(s, "/plain.img"); r.Header.Get(data.Pretended) != "" {
		t.Errorf("nobody demanded a digest: %v", r.Header)
	}
	s.PutFile("/held", []byte("x"))
	s.Demand("/held", want)
	if r := get(s, "/held"); r.Header.Get(data.Pretended) != "" {
		t.Errorf("held content is pretended: %v", r.Header)
	}
	made := s.Made()
	if len(made) != 4 || !made[0].Pretended || made[0].SHA256 != want || made[3].Pretended {
		t.Errorf("made: %+v", made)
	}
	if _, _, err := s.Server(data.ServerOptions{}); err == nil {
		t.Errorf("a store that pretends is served in real time")
	}
}
