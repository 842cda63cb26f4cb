package exchange

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/lf-edge/eve-api/go/config"

	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

const storeID = "11111111-0000-4000-8000-000000000001"

// knows is a part that was given a configuration, and what its datastore has in place of key and
// password.
func knows(t *testing.T, d *config.DatastoreConfig) (*secret.Keeper, *config.DatastoreConfig) {
	t.Helper()
	d.Id = storeID
	payload, err := eveapi.Marshal(&config.ConfigResponse{Config: &config.EdgeDevConfig{
		Datastores: []*config.DatastoreConfig{d}}})
	if err != nil {
		t.Fatal(err)
	}
	w := secret.New([]byte("key"))
	res := device.SendRes{Code: 200,
		Body: eveapi.Seal(payload, [64]byte{1}, make([]byte, 32), nil)}
	Keep(w, &device.SendReq{Keep: device.KeepConfig}, &res)
	e, fault := eveapi.ParseEnvelope(res.Body)
	if fault != nil {
		t.Fatal(fault)
	}
	cfg, _, err := eveapi.ParseConfigResponse(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return w, cfg.GetDatastores()[0]
}

func TestCredentialsBecomeAHeader(t *testing.T) {
	w, d := knows(t, &config.DatastoreConfig{ApiKey: "alice", Password: "sesame"})
	_, kept := w.Token([]byte(`{"token":"t0ken"}`))
	for want, l := range map[string]device.Login{
		"":                       {},
		"Basic YWxpY2U6c2VzYW1l": {User: d.ApiKey, Secret: d.Password},
		"Basic OnNlc2FtZQ==":     {Secret: d.Password},
		"Bearer " + "t0ken":      {Auth: device.AuthBearer, Secret: kept.Token},
		"alice " + "sesame":      {Auth: device.AuthScheme, User: d.ApiKey, Secret: d.Password},
	} {
		r, f := New(w, &device.Via{}, "GET", "https://x/y", nil, &l)
		if f != nil || r.Header.Get("Authorization") != want {
			t.Errorf("%+v becomes %q %v, not %q", l, r.Header.Get("Authorization"), f, want)
		}
	}
}

func TestWhatNobodyKnowsIsNotSent(t *testing.T) {
	w, d := knows(t, &config.DatastoreConfig{ApiKey: "alice", Password: "two\r\nlines"})
	for ref, want := range map[string]string{
		"config:" + storeID + ":password:ffff": "field password of " + storeID +
			" in the configuration is not known any more; it comes with the next configuration",
		"token:1": "token of a registry is not known", d.Password: "has a line break in it",
		"sesame": "reference that nobody gave out is not known",
		w.Made(secret.Sealed, []byte("key of a vault")): "sealed secret is not known",
	} {
		_, f := New(w, &device.Via{}, "GET", "https://x/y", nil, &device.Login{Secret: ref})
		if f == nil || f.Code != device.FaultSecret || !f.Retry || !strings.Contains(f.Text, want) ||
			strings.Contains(f.Text, "lines") {
			t.Errorf("%s: %+v", ref, f)
		}
	}
}

func TestLoginsInURLsAreResolved(t *testing.T) {
	w, d := knows(t, &config.DatastoreConfig{Fqdn: "http://alice:se%40same@files:8080"})
	if strings.Contains(d.Fqdn, "alice") || !strings.HasSuffix(d.Fqdn, "@files:8080") {
		t.Fatalf("the agent sees %q", d.Fqdn)
	}
	r, f := New(w, &device.Via{Proxy: d.Fqdn}, "GET", d.Fqdn+"/a", nil, &device.Login{})
	if f != nil || r.URL.String() != "http://files:8080/a" ||
		r.Header.Get("Authorization") != "Basic YWxpY2U6c2VAc2FtZQ==" {
		t.Errorf("%v: %+v", f, r)
	}
	if word, _ := r.Proxy.User.Password(); r.Proxy.User.Username() != "alice" || word != "se@same" {
		t.Errorf("the proxy is shown %v", r.Proxy.User)
	}
	// What is no reference is a login as it stands.
	plain := &device.Via{Proxy: "http://bob:x@proxy:3128"}
	r, f = New(w, plain, "GET", "http://files/a", nil, &device.Login{})
	if f != nil || r.Proxy.User.String() != url.UserPassword("bob", "x").String() {
		t.Errorf("%v: %+v", f, r)
	}
}

func TestAnswersThatHoldSecretsAreKeptBack(t *testing.T) {
	w := secret.New(nil)
	for _, c := range []struct {
		keep, body string
		code       int
		left       string
		kept       bool
	}{
		{"", "sesame", 200, "sesame", false},
		{device.KeepConfig, "", 304, "", false},
		{device.KeepConfig, "sesame", 500, "", true},
		{device.KeepConfig, "sesame", 200, "", true},
		{device.KeepToken, `{"token":"sesame"}`, 200, "{}", true},
		{device.KeepToken, `{"token":"sesame"}`, 403, "", true},
	} {
		res := device.SendRes{Code: c.code, Body: []byte(c.body),
			Header: []device.Header{{Name: "Set-Cookie", Value: "sesame"}}}
		Keep(w, &device.SendReq{Keep: c.keep}, &res)
		if string(res.Body) != c.left || (res.Kept != nil) != c.kept || res.Received() != len(c.body) {
			t.Errorf("%+v: %+v", c, res)
		}
		all, err := json.Marshal(res)
		if err != nil || c.keep != "" && strings.Contains(string(all), "sesame") {
			t.Errorf("%+v: %s %v", c, all, err)
		}
	}
}
