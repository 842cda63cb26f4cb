package data_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim/data"
)

func basic(user, word string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+word))
}

func TestGuardOfFiles(t *testing.T) {
	s := data.New(data.Options{Host: "files"})
	s.PutFile("a", []byte("hello"))
	s.Guard(data.Guard{Files: "Bearer sesame"})
	for shown, code := range map[string]int{"": 401, "Bearer other": 401, "Bearer sesame": 200} {
		if r := get(s, "/a", "Authorization", shown); r.Code != code ||
			code == 401 && (len(r.Body) > 0 || r.Header.Get("Www-Authenticate") == "") {
			t.Errorf("%q: %+v", shown, r)
		}
	}
	s.Guard(data.Guard{})
	if r := get(s, "/a"); r.Code != 200 {
		t.Errorf("open again: %+v", r)
	}
}

func TestGuardOfImages(t *testing.T) {
	s := data.New(data.Options{Host: "reg", MakeUp: true})
	s.Guard(data.Guard{User: "me", Password: "sesame"})
	for shown, code := range map[string]int{"": 401, basic("me", "x"): 401,
		basic("me", "sesame"): 200} {
		if r := get(s, "/v2/web/manifests/1", "Authorization", shown); r.Code != code {
			t.Errorf("%q: %d", shown, r.Code)
		}
	}
	s.Guard(data.Guard{User: "me", Password: "sesame", Realm: "https://reg/token", Lasts: time.Minute})
	at := time.Unix(1000, 0)
	ask := func(path, shown string, now time.Time) data.Response {
		return s.Handle(data.Request{Method: "GET", Path: path, Now: now,
			Header: http.Header{"Authorization": {shown}}})
	}
	const manifest = "/v2/web/manifests/1"
	r := ask(manifest, basic("me", "sesame"), at)
	if how := r.Header.Get("Www-Authenticate"); r.Code != 401 ||
		!strings.Contains(how, `Bearer realm="https://reg/token"`) {
		t.Errorf("without a token: %d %q", r.Code, how)
	}
	if r = ask(data.TokenPath, basic("me", "x"), at); r.Code != 401 || s.Tokens() != 0 {
		t.Errorf("a token for a wrong password: %d", r.Code)
	}
	r = ask(data.TokenPath, basic("me", "sesame"), at)
	var got struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := json.Unmarshal(r.Body, &got); err != nil || got.ExpiresIn != 60 || s.Tokens() != 1 {
		t.Fatalf("token: %v %s", err, r.Body)
	}
	if r = ask(manifest, "Bearer "+got.Token, at.Add(59*time.Second)); r.Code != 200 {
		t.Errorf("with a token: %d", r.Code)
	}
	if r = ask(manifest, "Bearer "+got.Token, at.Add(time.Minute)); r.Code != 401 {
		t.Errorf("with a token that is over: %d", r.Code)
	}
}

// Real clients are asked for the same.
func TestGuardBehindHTTP(t *testing.T) {
	s := data.New(data.Options{Host: "files"})
	s.PutFile("a", []byte("hello"))
	s.Guard(data.Guard{Files: "Bearer sesame"})
	h, done, err := s.Server(data.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	for shown, code := range map[string]int{"": 401, "Bearer sesame": 200} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/a", nil)
		r.Header.Set("Authorization", shown)
		if h.ServeHTTP(w, r); w.Code != code {
			t.Errorf("%q: %d", shown, w.Code)
		}
	}
}
