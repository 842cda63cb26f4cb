package uptest_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// admin is the admin interface of a running controller, as the program tells of it.
type admin struct {
	t          *testing.T
	url, token string
}

func adminOf(t *testing.T, s step) *admin {
	t.Helper()
	token, err := os.ReadFile(s.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(s.TokenFile); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v, %v", i.Mode(), err)
	}
	return &admin{t, s.AdminURL + "/admin/v1/devices/edge", strings.TrimSpace(string(token))}
}

// do sends a request and returns code and body.
func (a *admin) do(method, path string, body io.Reader) (int, []byte) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	x, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer x.Body.Close()
	text, err := io.ReadAll(x.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return x.StatusCode, text
}

// config is the device's configuration.
func (a *admin) config() map[string]any {
	a.t.Helper()
	code, text := a.do(http.MethodGet, "/config", nil)
	var cfg map[string]any
	if err := json.Unmarshal(text, &cfg); code != http.StatusOK || err != nil {
		a.t.Fatalf("read the configuration: %d, %v", code, err)
	}
	return cfg
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// bootID asks the application which boot of its kernel answers.
func bootID(t *testing.T, url string) string {
	t.Helper()
	c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	x, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Body.Close()
	var body struct {
		BootID string `json:"boot_id"`
	}
	if err := json.NewDecoder(x.Body).Decode(&body); err != nil || body.BootID == "" {
		t.Fatalf("%s answers %v, %v", url, body, err)
	}
	return body.BootID
}

// TestBadSecondConfigKeepsTheApplication gives a device with a running application one bad
// configuration after the other.
func TestBadSecondConfigKeepsTheApplication(t *testing.T) {
	t.Parallel()
	r := newPlace(t).real().up("--until", "forever")
	a := adminOf(t, r.await("admin interface"))
	url := r.await("application answers").URL
	before := bootID(t, url)
	good := a.config()
	with := func(key string, v any) string {
		bad := maps.Clone(good)
		delete(bad, "id")
		bad[key] = v
		return text(t, bad)
	}
	edit := func(old, new string) string {
		all := text(t, good)
		if !strings.Contains(all, old) {
			t.Fatalf("there is no %s in %s", old, all)
		}
		return strings.ReplaceAll(all, old, new)
	}
	for name, body := range map[string]string{
		"no JSON":             "{",
		"cut":                 text(t, good)[:500],
		"another type":        with("apps", "none"),
		"no such enum":        edit(`"CONTAINER"`, `"FLOPPY"`),
		"stale":               edit(`"version":"1"`, `"version":"7"`),
		"partly malformed":    with("datastores", []any{map[string]any{"id": 7}}),
		"much too large":      `{"productName":"` + strings.Repeat("x", 64<<20) + `"}`,
		"too large to be had": with("productName", strings.Repeat("x", 11<<20)),
	} {
		code, answer := a.do(http.MethodPut, "/config", strings.NewReader(body))
		var no struct{ Error string }
		err := json.Unmarshal(answer, &no)
		if err != nil || code < 400 || code >= 500 || no.Error == "" ||
			strings.Contains(no.Error, "\n") {
			t.Errorf("%s: answer %d, %.200s", name, code, answer)
		}
	}
	// What the controller takes, because it may be meant for a newer device, reaches this one.
	odd := maps.Clone(good["networkInstances"].([]any)[0].(map[string]any))
	odd["displayname"], odd["instType"] = "odd", 77
	odd["uuidandversion"] = map[string]any{"uuid": "0dd00dd0-0000-4000-8000-000000000000"}
	code, answer := a.do(http.MethodPut, "/config", strings.NewReader(
		with("networkInstances", append([]any{odd}, good["networkInstances"].([]any)...))))
	if code != http.StatusOK {
		t.Fatalf("an enum of tomorrow: %d, %s", code, answer)
	}
	r.await("network odd: ")
	if got := bootID(t, url); got != before {
		t.Errorf("the guest was booted again: %s, before %s", got, before)
	}
	good["name"] = "again"
	delete(good, "id")
	if code, answer := a.do(http.MethodPut, "/config", strings.NewReader(text(t, good))); code != 200 {
		t.Fatalf("a good one again: %d, %s", code, answer)
	}
	r.await("configuration 3 is in force")
	if got := bootID(t, url); got != before {
		t.Errorf("the guest was booted again: %s, before %s", got, before)
	}
	r.stop()
	if r.sum.URL != url || r.sum.AdminURL == "" {
		t.Errorf("summary %+v", r.sum)
	}
}
