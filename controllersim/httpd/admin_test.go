package httpd_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/controllersim/client"
	"github.com/evetwin/evetwin/controllersim/httpd"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"
)

func TestAdminNeedsItsToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	l := start(t, httpd.Options{TokenFile: file})
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("token file: %v %v", st.Mode(), err)
	}
	l.call("GET", "/status", "", 200, nil)
	good := l.token
	for _, bad := range []string{"", "x", good + "x", good[1:]} {
		l.token = bad
		l.call("GET", "/status", "", 401, nil)
		l.call("GET", "/nonsense", "", 401, nil)
	}
	l.token = good
	l.call("GET", "/nonsense", "", 404, nil)
	l.call("GET", "/status", "", 401, nil, "Authorization", "Basic "+good)
}

func TestAdminListensOnLoopbackUnlessTLS(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	for _, o := range []httpd.Options{
		{Admin: "0.0.0.0:0", TokenFile: token}, {Admin: ":0", TokenFile: token},
		{Admin: "192.0.2.1:0", TokenFile: token}, {Admin: "nonsense", TokenFile: token},
		{Listen: "nonsense", TokenFile: token}, {},
	} {
		if _, err := httpd.Start(o); err == nil {
			t.Errorf("%+v starts", o)
		}
	}
	if _, err := os.Stat(token); err == nil {
		t.Errorf("the token file of a server that did not start is left")
	}
	l := start(t, httpd.Options{AdminTLS: true})
	if !strings.HasPrefix(l.srv.AdminURL(), "https://") {
		t.Errorf("admin interface at %s", l.srv.AdminURL())
	}
	l.call("GET", "/status", "", 200, nil)
}

func TestAdminDevices(t *testing.T) {
	l := start(t, httpd.Options{})
	var added, read struct {
		UUID, Name, Serial string
		Registered         bool
		Version            string `json:"config_version"`
	}
	l.call("POST", "/devices", `{"name":"edge","serial":"SN1"}`, 201, &added)
	if added.UUID == "" || added.Name != "edge" || added.Registered {
		t.Errorf("added: %+v", added)
	}
	l.call("POST", "/devices", `{"name":"edge","serial":"SN1"}`, 409, nil)
	l.call("POST", "/devices", `{"name":"x"}`, 400, nil)
	l.call("POST", "/devices", `{"name":"x","cert":"nonsense"}`, 400, nil)
	l.call("POST", "/devices", `{`, 400, nil)
	own, err := client.NewSigner("own")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"name": "certified", "cert": string(own.PEM)})
	if err != nil {
		t.Fatal(err)
	}
	l.call("POST", "/devices", string(body), 201, nil)
	d := l.device("SN1")
	onboard(t, d)
	for _, id := range []string{"edge", added.UUID, strings.ToUpper(added.UUID)} {
		l.call("GET", "/devices/"+id, "", 200, &read)
		if read.UUID != d.UUID || !read.Registered || read.Serial != "SN1" {
			t.Errorf("%s: %+v", id, read)
		}
	}
	var list []any
	l.call("GET", "/devices", "", 200, &list)
	if len(list) != 2 {
		t.Errorf("devices: %v", list)
	}
	l.call("GET", "/devices/nobody", "", 404, nil)
	l.call("DELETE", "/devices/nobody", "", 404, nil)
	l.call("DELETE", "/devices/certified", "", 204, nil)
	l.call("GET", "/devices/certified", "", 404, nil)
	var requests []struct {
		Path string
		Code int
	}
	l.call("GET", "/devices/edge/requests", "", 200, &requests)
	if len(requests) != 2 || requests[0].Code != 201 || !strings.HasSuffix(requests[1].Path, "/uuid") {
		t.Errorf("requests: %+v", requests)
	}
}

func TestAdminConfig(t *testing.T) {
	l := start(t, httpd.Options{})
	l.call("POST", "/devices", `{"name":"edge","serial":"1"}`, 201, nil)
	const path = "/devices/edge/config"
	var put struct {
		Version string
		Unknown []string `json:"unknown_fields"`
	}
	h := l.call("PUT", path, `{"productName":"a","lispInfo":{"x":1}}`, 200, &put)
	if put.Version != "1" || h.Get("Etag") != `"1"` || len(put.Unknown) != 1 {
		t.Errorf("put: %+v, ETag %s", put, h.Get("Etag"))
	}
	var cfg struct {
		ID              struct{ UUID, Version string }
		ProductName     string
		ConfigTimestamp string
	}
	h = l.call("GET", path, "", 200, &cfg)
	if cfg.ProductName != "a" || cfg.ID.Version != "1" || cfg.ConfigTimestamp == "" {
		t.Errorf("read back: %+v", cfg)
	}
	l.call("PUT", path, `{"productName":"b"}`, 200, nil, "If-Match", h.Get("Etag"))
	l.call("PUT", path, `{"productName":"c"}`, 409, nil, "If-Match", h.Get("Etag"))
	l.call("PUT", path, `{"id":{"version":"1"},"productName":"c"}`, 409, nil)
	l.call("PUT", path, `{"id":{"version":"2"},"productName":"c"}`, 200, &put)
	if put.Version != "3" {
		t.Errorf("version %s, want 3", put.Version)
	}
	l.call("PUT", "/devices/nobody/config", `{}`, 404, nil)
	l.call("GET", "/devices/nobody/config", "", 404, nil)
	for name, bad := range map[string]string{
		"truncated": `{"productName":`, "wrong type": `{"networks":7}`, "empty": "",
		"no object": `[]`,
	} {
		var e struct{ Error string }
		l.call("PUT", path, bad, 400, &e)
		if e.Error == "" || strings.Contains(e.Error, "\n") {
			t.Errorf("%s: error %q", name, e.Error)
		}
	}
	l.call("GET", path, "", 200, &cfg)
	if cfg.ProductName != "c" {
		t.Errorf("a refused configuration was stored: %+v", cfg)
	}
}

func TestAdminReports(t *testing.T) {
	l := start(t, httpd.Options{})
	d := l.device("1")
	onboard(t, d)
	for _, app := range []string{"a", "b"} {
		r, err := d.Post(eveapi.Info, appInfo(t, d.UUID, app, info.ZSwState_RUNNING))
		if err != nil || r.Code != 201 {
			t.Fatalf("info: %d %v", r.Code, err)
		}
	}
	m, err := eveapi.MetricsBody(&metrics.ZMetricMsg{DevID: d.UUID})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := d.Post(eveapi.Metrics, m); err != nil || r.Code != 201 {
		t.Fatalf("metrics: %d %v", r.Code, err)
	}
	for query, want := range map[string]int{
		"info": 2, "info?since=1": 1, "info?since=2": 0, "info?type=ZiApp": 2, "info?type=3": 2,
		"info?type=ZiDevice": 0, "info?entity=b": 1, "metrics": 1, "flowlog": 0, "hardwarehealth": 0,
	} {
		if got := l.lines("/devices/1/" + query); len(got) != want {
			t.Errorf("%s: %d lines, want %d", query, len(got), want)
		}
	}
	for _, query := range []string{"since=x", "type=x", "follow=x", "since=-1"} {
		l.call("GET", "/devices/1/info?"+query, "", 400, nil)
	}
	l.call("GET", "/devices/nobody/info", "", 404, nil)
}

// lines reads an answer of one JSON object per line.
func (l *lab) lines(path string) []json.RawMessage {
	l.t.Helper()
	req, err := http.NewRequest("GET", l.srv.AdminURL()+"/admin/v1"+path, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.token)
	r, err := l.admin.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var out []json.RawMessage
	for dec := json.NewDecoder(r.Body); dec.More(); {
		var line json.RawMessage
		if err := dec.Decode(&line); err != nil {
			l.t.Fatal(err)
		}
		out = append(out, line)
	}
	return out
}

func TestAdminOnboards(t *testing.T) {
	l := start(t, httpd.Options{})
	site, err := client.NewSigner("site key")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"cert": string(site.PEM), "serials": []string{"S1"}})
	if err != nil {
		t.Fatal(err)
	}
	l.call("POST", "/onboards", string(body), 201, nil)
	l.call("POST", "/onboards", `{"cert":"nonsense"}`, 400, nil)
	d := l.device("S2")
	d.Onboard = site
	if code, err := d.Register(); code != 403 || err != nil {
		t.Errorf("serial not allowed: %d %v", code, err)
	}
	d.Serial = "S1"
	if code, err := d.Register(); code != 201 || err != nil {
		t.Errorf("serial allowed: %d %v", code, err)
	}
	var list []struct{ Name string }
	l.call("GET", "/onboards", "", 200, &list)
	if len(list) != 2 || list[1].Name != "site key" {
		t.Errorf("onboarding certificates: %+v", list)
	}
	l.call("DELETE", "/onboards/site%20key", "", 204, nil)
	l.call("DELETE", "/onboards/site%20key", "", 404, nil)
	if code, err := d.Register(); code != 403 || err != nil {
		t.Errorf("onboarding certificate removed: %d %v", code, err)
	}
}
