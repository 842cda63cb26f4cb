package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/client"
	"github.com/evetwin/evetwin/controllersim/httpd"
	"github.com/evetwin/evetwin/controllersim/store"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/info"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a running server with clients for both its faces.
type lab struct {
	t     *testing.T
	srv   *httpd.Server
	admin *http.Client
	dev   *http.Client
	token string
}

func start(t *testing.T, o httpd.Options) *lab {
	t.Helper()
	if o.TokenFile == "" {
		o.TokenFile = filepath.Join(t.TempDir(), "token")
	}
	srv, err := httpd.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(o.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(srv.RootPEM())
	secure := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	l := &lab{t, srv, &http.Client{Transport: secure}, &http.Client{Transport: secure},
		strings.TrimSpace(string(token))}
	t.Cleanup(func() {
		secure.CloseIdleConnections()
		l.stop()
		if _, err := os.Stat(o.TokenFile); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the token file is left: %v", err)
		}
	})
	return l
}

func (l *lab) stop() {
	l.t.Helper()
	if l.srv == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := l.srv.Close(ctx); err != nil {
		l.t.Error(err)
	}
	l.srv = nil
}

// device makes a device that speaks to the server over TLS.
func (l *lab) device(name string) *client.Client {
	l.t.Helper()
	var d *client.Client
	err := l.srv.Do(func(c *controllersim.Controller) {
		var err error
		if d, err = client.New(c, name); err != nil {
			l.t.Error(err)
		}
	})
	if err != nil || d == nil {
		l.t.Fatal(err)
	}
	d.Now, d.Send = time.Now, client.Over(l.dev, l.srv.URL())
	return d
}

// call sends a request to the admin interface and reads the answer into out, if there is one.
func (l *lab) call(method, path, body string, want int, out any, header ...string) http.Header {
	l.t.Helper()
	req, err := http.NewRequest(method, l.srv.AdminURL()+"/admin/v1"+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.token)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := l.admin.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	if cerr := r.Body.Close(); err != nil || cerr != nil {
		l.t.Fatal(err, cerr)
	}
	if r.StatusCode != want {
		l.t.Fatalf("%s %s: %d %s, want %d", method, path, r.StatusCode, text, want)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			l.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return r.Header
}

func appInfo(t *testing.T, device, app string, state info.ZSwState) []byte {
	t.Helper()
	b, err := eveapi.InfoBody(&info.ZInfoMsg{
		Ztype: info.ZInfoTypes_ZiApp, DevId: device,
		InfoContent: &info.ZInfoMsg_Ainfo{Ainfo: &info.ZInfoApp{AppID: app, State: state}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func onboard(t *testing.T, d *client.Client) {
	t.Helper()
	if err := d.OnboardFully(); err != nil {
		t.Fatal(err)
	}
}

func TestDeviceOverTLSAndRestart(t *testing.T) {
	file := store.NewFile(filepath.Join(t.TempDir(), "controller.json"))
	first := start(t, httpd.Options{Store: file})
	d := first.device("1")
	onboard(t, d)
	first.call("PUT", "/devices/1/config", `{"productName":"p"}`, 200, nil)
	first.call("POST", "/rotate", "", 200, nil)
	if err := d.FetchCerts(); err != nil {
		t.Fatal(err)
	}
	cfg, code, err := d.FetchConfig()
	if err != nil || code != 200 || cfg.GetProductName() != "p" {
		t.Fatalf("config: %d %v %v", code, cfg, err)
	}
	root := first.srv.RootPEM()
	first.stop()
	second := start(t, httpd.Options{Store: file})
	if !bytes.Equal(root, second.srv.RootPEM()) {
		t.Fatal("another root after the restart")
	}
	d.Send = client.Over(second.dev, second.srv.URL())
	if _, code, err := d.FetchConfig(); code != 304 || err != nil {
		t.Errorf("config after the restart: %d %v, want 304", code, err)
	}
	if code, err := d.Register(); code != 200 || err != nil {
		t.Errorf("register after the restart: %d %v, want 200", code, err)
	}
}

// A registration is in the store before the device hears of it: a crash right after loses nothing.
func TestRegistrationIsSavedBeforeItIsAnswered(t *testing.T) {
	memory := &store.Memory{}
	l := start(t, httpd.Options{Store: memory})
	for i, name := range []string{"1", "2"} {
		onboard(t, l.device(name))
		kept, err := memory.Load()
		if err != nil {
			t.Fatal(err)
		}
		if n := len(kept.Fleet.Devices); n != i+1 {
			t.Errorf("%d devices are stored, want %d", n, i+1)
		}
	}
	broken := &failing{Memory: memory}
	l2 := start(t, httpd.Options{Store: broken})
	d := l2.device("3")
	if err := d.FetchCerts(); err != nil {
		t.Fatal(err)
	}
	broken.fail.Store(true)
	if code, err := d.Register(); code != 503 || err != nil {
		t.Errorf("register with a full disk: %d %v, want 503", code, err)
	}
	if code, err := d.Register(); code != 503 || err != nil {
		t.Errorf("register again with a full disk: %d %v, want 503", code, err)
	}
	broken.fail.Store(false)
	if code, err := d.Register(); code != 200 || err != nil {
		t.Errorf("register with room on the disk: %d %v, want 200", code, err)
	}
	if kept, err := memory.Load(); err != nil || len(kept.Fleet.Devices) != 3 {
		t.Errorf("%d devices are stored, want 3 (%v)", len(kept.Fleet.Devices), err)
	}
}

// failing is a store whose disk is full at times.
type failing struct {
	*store.Memory
	fail atomic.Bool
}

func (f *failing) Save(s store.State) error {
	if f.fail.Load() {
		return errors.New("disk is full")
	}
	return f.Memory.Save(s)
}

func TestOversizedRequest(t *testing.T) {
	l := start(t, httpd.Options{})
	d := l.device("1")
	r, err := d.PostRaw(eveapi.Register, make([]byte, eveapi.MaxEnvelope+1))
	if err != nil || r.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %v, want 413", r.Code, err)
	}
}

func TestFaultsReachTheWire(t *testing.T) {
	asked := make(chan struct{}, 1)
	l := start(t, httpd.Options{Now: func() time.Time {
		select {
		case asked <- struct{}{}:
		default:
		}
		return time.Now()
	}})
	d := l.device("1")
	onboard(t, d)
	l.call("POST", "/faults", `{"name":"a","kind":"content-type","endpoint":"uuid"}`, 201, nil)
	r, err := d.Post(eveapi.UUID, nil)
	if err != nil || r.Code != 200 || len(r.Header["Content-Type"]) != 0 {
		t.Errorf("no content type: %d %v %v", r.Code, r.Header, err)
	}
	l.call("POST", "/faults", `{"name":"b","kind":"status","status":503}`, 201, nil)
	if r, err := d.Get(eveapi.Ping); err != nil || r.Code != 503 {
		t.Errorf("ping: %d %v, want 503", r.Code, err)
	}
	var faults []controllersim.Fault
	l.call("GET", "/faults", "", 200, &faults)
	if len(faults) != 2 || faults[1].Status != 503 {
		t.Errorf("faults: %+v", faults)
	}
	l.call("DELETE", "/faults/b", "", 204, nil)
	l.call("DELETE", "/faults/b", "", 404, nil)
	l.call("POST", "/faults", `{"kind":"nonsense"}`, 400, nil)
	l.call("POST", "/faults", `{"name":"d","kind":"close"}`, 201, nil)
	if r, err := d.Post(eveapi.UUID, nil); err == nil {
		t.Errorf("the answer was to be cut: %d with %d bytes", r.Code, len(r.Body))
	}
	l.call("DELETE", "/faults", "", 204, nil)
	l.call("POST", "/faults", `{"name":"c","kind":"delay","delay":3600000000000}`, 201, nil)
	<-asked // by the requests before
	ended := make(chan error, 1)
	go func() {
		_, err := d.Get(eveapi.Ping)
		ended <- err
	}()
	<-asked // the request is with the controller
	l.stop()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("a delayed request outlives the server")
	}
}

// What a fault holds back comes in later, unless the server stops first.
func TestRequestsThatComeLate(t *testing.T) {
	l := start(t, httpd.Options{})
	d := l.device("1")
	onboard(t, d)
	came := make(chan string, 1)
	if err := l.srv.Do(func(c *controllersim.Controller) {
		c.Fleet().Watch(func(uuid string) {
			if dev, ok := c.Fleet().Device(uuid); ok && dev.AppInfo("late") != nil {
				came <- uuid
			}
		})
	}); err != nil {
		t.Fatal(err)
	}
	l.call("POST", "/faults", `{"name":"a","kind":"late","endpoint":"info","delay":1000000}`, 201, nil)
	if r, err := d.Post(eveapi.Info, appInfo(t, d.UUID, "late", info.ZSwState_BOOTING)); err == nil {
		t.Errorf("whoever is late gets no answer: %d", r.Code)
	}
	select {
	case <-came:
	case <-time.After(10 * time.Second):
		t.Fatal("it never came")
	}
	l.call("POST", "/faults", `{"name":"a","kind":"late","endpoint":"info","delay":180000000000}`, 201,
		nil)
	if _, err := d.Post(eveapi.Info, appInfo(t, d.UUID, "never", info.ZSwState_BOOTING)); err == nil {
		t.Error("whoever is late gets no answer")
	}
	l.stop() // does not wait for it
}

func TestFollowInfo(t *testing.T) {
	l := start(t, httpd.Options{})
	d := l.device("1")
	onboard(t, d)
	post := func(app string, state info.ZSwState) {
		r, err := d.Post(eveapi.Info, appInfo(t, d.UUID, app, state))
		if err != nil || r.Code != 201 {
			t.Fatalf("info: %d %v", r.Code, err)
		}
	}
	post("a", info.ZSwState_BOOTING)
	url := l.srv.AdminURL() + "/admin/v1/devices/1/info?follow=true&type=ZiApp&entity=a"
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.token)
	r, err := l.admin.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	lines := bufio.NewScanner(r.Body)
	var seq uint64
	for i, state := range []info.ZSwState{
		info.ZSwState_BOOTING, info.ZSwState_RUNNING, info.ZSwState_HALTED,
	} {
		if i > 0 {
			post("b", info.ZSwState_RUNNING)
			post("a", state)
		}
		if !lines.Scan() {
			t.Fatalf("stream ends: %v", lines.Err())
		}
		var got struct {
			Seq     uint64
			Type    string
			Entity  string
			Message struct{ Ainfo struct{ State string } }
		}
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Entity != "a" || got.Type != "ZiApp" || got.Message.Ainfo.State != state.String() ||
			got.Seq <= seq {
			t.Errorf("line %d: %s", i, lines.Text())
		}
		seq = got.Seq
	}
	l.stop()
	if lines.Scan() || lines.Err() != nil {
		t.Errorf("the stream does not end cleanly: %q %v", lines.Text(), lines.Err())
	}
}
