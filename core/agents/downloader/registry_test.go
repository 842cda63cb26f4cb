package downloader

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/security"
)

const layer = "application/vnd.oci.image.layer.v1.tar+gzip"

func registry(t *testing.T) *rig.Rig {
	r := bench(t)
	datastore(r, "hub", content.DsContainerRegistry, "docker://docker.io")
	return r
}

func orderBlob(r *rig.Rig, hash, mediaType string) {
	rig.Put(r, content.Downloads, content.DownloaderConfig{ImageSha256: hash,
		DatastoreIDList: []string{"hub"}, Name: "nginx@sha256:" + sha, Target: "t." + hash,
		MediaType: mediaType, RefCount: 1})
}

func answer(r *rig.Rig, item string, code int, header ...web.Header) {
	rig.Done(r, web.Send, item, web.SendRes{Code: code, Header: header})
	r.Step()
}

func bearer(ref string) web.Login { return web.Login{Auth: web.AuthBearer, Secret: ref} }

// tokens answers a request for a token as the part does: without it, with its reference.
func tokens(t *testing.T, r *rig.Rig, item, ref, body string) {
	t.Helper()
	if req := sent(t, r); req.Keep != web.KeepToken {
		t.Fatalf("would see a token: %+v", req)
	}
	rig.Done(r, web.Send, item, web.SendRes{Code: 200, Body: []byte(body),
		Kept: &security.Kept{Size: 99, Token: ref}})
	r.Step()
}

func challenged(how string) web.Header {
	return web.Header{Name: "Www-Authenticate", Value: how}
}

func TestTokenOfARegistry(t *testing.T) {
	r := registry(t)
	orderBlob(r, sha, "")
	r.Step()
	const manifest = "https://registry-1.docker.io/v2/library/nginx/manifests/sha256:" + sha
	req := sent(t, r)
	if req.Method != "HEAD" || req.URL != manifest || !strings.Contains(req.Header[0].Value, "oci") {
		t.Fatalf("first %+v", req)
	}
	answer(r, sha, 401, challenged(`Bearer realm="https://auth.io/token",`+
		`service="registry, io",scope="repository:library/nginx:pull"`))
	req = sent(t, r)
	if req.URL != "https://auth.io/token?scope=repository%3Alibrary%2Fnginx%3Apull"+
		"&service=registry%2C+io" {
		t.Fatalf("asks for a token at %q", req.URL)
	}
	tokens(t, r, sha, "token:1", `{"expires_in":300}`)
	if req = sent(t, r); req.Method != "HEAD" || req.Login != bearer("token:1") {
		t.Fatalf("then %+v", req)
	}
	answer(r, sha, 200)
	if f := fetch(t, r); f.URL != manifest || f.Login != bearer("token:1") {
		t.Fatalf("fetches %+v", f)
	}
	rig.Put(r, web.Partials, web.PartialSeen{Target: "t." + sha, Have: 5, Size: 5, Whole: true})
	rig.Done(r, web.Fetch, sha, web.FetchRes{Size: 5})
	r.Step()

	// A layer of the same image goes straight to the blobs, with the token.
	other := "bb" + sha[2:]
	orderBlob(r, other, layer)
	r.Step()
	if f := fetch(t, r); f.Login != bearer("token:1") ||
		f.URL != "https://registry-1.docker.io/v2/library/nginx/blobs/sha256:"+other {
		t.Fatalf("fetches %+v", f)
	}
	// A token that ran out is asked for again, once.
	rig.Fail(r, web.Fetch, other, agent.Fault{Code: web.FaultStatus, Text: "401"})
	r.Step()
	answer(r, other, 401, challenged(`Bearer realm="https://auth.io/t"`))
	tokens(t, r, other, "token:2", `{}`)
	answer(r, other, 404) // it is no manifest
	if f := fetch(t, r); f.Login != bearer("token:2") {
		t.Fatalf("fetches %+v", f)
	}
	rig.Fail(r, web.Fetch, other, agent.Fault{Code: web.FaultStatus, Text: "answered 403"})
	r.Step()
	mustContain(t, "error", rig.Get(r, content.DownloadStatuses, other).Error, "answered 403")
}

func TestRegistryWithoutLogin(t *testing.T) {
	r := bench(t)
	datastore(r, "hub", content.DsContainerRegistry, "oci://10.0.0.9:5000/mirror")
	orderBlob(r, sha, "")
	r.Step()
	if req := sent(t, r); req.URL != "http://10.0.0.9:5000/v2/mirror/nginx/manifests/sha256:"+sha {
		t.Fatalf("asks %q", req.URL)
	}
	answer(r, sha, 404)
	if f := fetch(t, r); f.URL != "http://10.0.0.9:5000/v2/mirror/nginx/blobs/sha256:"+sha ||
		len(f.Header) != 0 {
		t.Fatalf("fetches %+v", f)
	}
}

func TestBasicLogin(t *testing.T) {
	r := bench(t)
	rig.Put(r, content.Datastores, content.DatastoreConfig{UUID: "hub", Fqdn: "reg.lab",
		DsType: content.DsContainerRegistry, ApiKey: "me", Password: "secret/9"})
	orderBlob(r, sha, "")
	r.Step()
	if req := sent(t, r); req.Login != (web.Login{}) {
		t.Fatal("the login goes out before anybody asked for it")
	}
	answer(r, sha, 401, challenged(`Basic realm="x"`))
	if req := sent(t, r); req.Login != (web.Login{User: "me", Secret: "secret/9"}) {
		t.Fatalf("then %+v", req)
	}
	answer(r, sha, 401, challenged(`Basic realm="x"`))
	mustContain(t, "error", rig.Get(r, content.DownloadStatuses, sha).Error, "refuses the login")
}

func tag(r *rig.Rig, name string, counter int64) content.ResolveConfig {
	c := content.ResolveConfig{DatastoreID: "hub", Name: name, Counter: counter}
	rig.Put(r, content.Resolves, c)
	r.Step()
	return c
}

func TestAPP14_EachGenerationResolvesAnew(t *testing.T) {
	r := registry(t)
	for counter, hash := range []string{"cc" + sha[2:], "dd" + sha[2:]} {
		c := tag(r, "team/app:1.0", int64(counter))
		if req := sent(t, r); req.Method != "HEAD" ||
			req.URL != "https://registry-1.docker.io/v2/team/app/manifests/1.0" {
			t.Fatalf("asks %+v", req)
		}
		answer(r, c.Key(), 200, web.Header{Name: "Docker-Content-Digest", Value: "sha256:" + hash})
		st := rig.Get(r, content.ResolveStatuses, c.Key())
		if st.ImageSha256 != hash || st.HasError() ||
			st.Of != rig.Rev(r, content.Resolves, c.Key()) {
			t.Errorf("resolved to %+v", st)
		}
		rig.Delete(r, content.Resolves, c.Key())
		r.Step()
		if rig.Get(r, content.ResolveStatuses, c.Key()) != nil {
			t.Error("the answer outlives the question")
		}
	}
}

func TestResolveWithoutDigestHeader(t *testing.T) {
	r := registry(t)
	c := tag(r, "app", 0)
	answer(r, c.Key(), 200)
	if req := sent(t, r); req.Method != "GET" {
		t.Fatalf("asks %+v", req)
	}
	rig.Done(r, web.Send, c.Key(), web.SendRes{Code: 200, Body: []byte("hello")})
	r.Step()
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	if st := rig.Get(r, content.ResolveStatuses, c.Key()); st.ImageSha256 != hello {
		t.Errorf("resolved to %+v", st)
	}
	// A name with a digest needs no network.
	c = tag(r, "app:2@sha256:"+strings.ToUpper(sha), 0)
	if st := rig.Get(r, content.ResolveStatuses, c.Key()); st == nil || st.ImageSha256 != sha {
		t.Errorf("resolved to %+v", st)
	}
	if n := len(rig.Calls(r, web.Send)); n != 0 {
		t.Errorf("%d exchanges", n)
	}
}

func TestResolveTriesAgain(t *testing.T) {
	r := registry(t)
	items(r, config.Value{Key: config.DownloadRetry, Value: "60"})
	c := tag(r, "app:nope", 0)
	answer(r, c.Key(), 404)
	st := rig.Get(r, content.ResolveStatuses, c.Key())
	mustContain(t, "error", st.Error, "resolve app:nope", "answered 404")
	mustContain(t, "condition", st.ErrorRetryCondition, "Will retry in")
	r.Advance(time.Minute)
	mustContain(t, "condition", rig.Get(r, content.ResolveStatuses, c.Key()).ErrorRetryCondition,
		"Retrying; attempt 1")
	answer(r, c.Key(), 200, web.Header{Name: "Docker-Content-Digest", Value: "sha256:" + sha})
	if st = rig.Get(r, content.ResolveStatuses, c.Key()); st.ImageSha256 != sha || st.HasError() {
		t.Errorf("at the end: %+v", st)
	}
}

func TestNamesOfImages(t *testing.T) {
	for _, c := range []struct{ fqdn, dpath, name, base, repo, tag string }{
		{"docker://docker.io", "", "nginx", "https://registry-1.docker.io", "library/nginx", "latest"},
		{"index.docker.io", "", "a/b:1", "https://registry-1.docker.io", "a/b", "1"},
		{"oci://localhost:5000", "x/y", "z:v", "http://localhost:5000", "x/y/z", "v"},
		{"https://10.1.1.1", "", "z", "https://10.1.1.1", "z", "latest"},
		{"[fd00::1]:5000", "", "z", "http://[fd00::1]:5000", "z", "latest"},
		{"ghcr.io/org", "", "z:1@sha256:" + sha, "https://ghcr.io", "org/z", "1"},
	} {
		im := imageOf(&content.DatastoreConfig{Fqdn: c.fqdn, Dpath: c.dpath}, c.name)
		if im.Base != c.base || im.Repo != c.repo || im.Tag != c.tag {
			t.Errorf("%s %s %s: %+v", c.fqdn, c.dpath, c.name, im)
		}
	}
}
