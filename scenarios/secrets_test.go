package scenarios

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// mark is what every planted secret begins with.
const mark = "Pl4ntedS3cret"

// pieces are how many bytes of a secret are looked for at a time; fewer may stand anywhere.
const pieces = 12

// forms are pieces of a secret as they may stand somewhere: as they are, in hex, as lists of
// numbers, and in base64 at each of the three places a text may have in it.
func forms(secret string) (out []string) {
	for at := 0; at+pieces <= len(secret); at += pieces {
		p := []byte(secret[at : at+pieces])
		list := strings.Trim(fmt.Sprint(p), "[]")
		out = append(out, string(p), hex.EncodeToString(p), strings.ToUpper(hex.EncodeToString(p)),
			list, strings.ReplaceAll(list, " ", ","), strings.ReplaceAll(list, " ", ", "))
		for n := range 3 {
			padded := append(make([]byte, n), p...)
			for _, code := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
				out = append(out, code.EncodeToString(padded)[4:16])
			}
		}
	}
	return out
}

// heard is a text, and where it stood.
type heard struct{ where, text string }

// spy looks at all that agents are shown, put, ask for, are answered and say.
type spy struct {
	heard map[heard]bool
	looks int
	rec   *trace.Recorder
	tape  bytes.Buffer
	kinds map[string]bool // of requests and outcomes
}

func newSpy() *spy {
	s := &spy{heard: map[heard]bool{}, kinds: map[string]bool{}}
	s.rec = trace.NewRecorder(&s.tape)
	return s
}

func (s *spy) text(where, text string) {
	s.looks++
	s.heard[heard{where, text}] = true
}

// found is where secrets stand, in order.
func (s *spy) found(secrets ...string) (out []string) {
	places := map[string]bool{}
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			for h := range s.heard {
				if strings.Contains(h.text, form) {
					places[h.where] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(places))
}

// value looks at every text in a value, wherever it stands in it.
func (s *spy) value(where string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		s.text(where, v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			s.value(where, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			s.value(where+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			text := make([]byte, v.Len())
			for i := range text {
				text[i] = byte(v.Index(i).Uint())
			}
			s.text(where, string(text))
			return
		}
		for i := range v.Len() {
			s.value(where, v.Index(i))
		}
	}
}

// watch sees every turn, and records it.
func (s *spy) watch(device string) func(*host.Proc, *host.Input, *host.Output) {
	record := s.rec.OnTurn(device)
	return func(p *host.Proc, in *host.Input, out *host.Output) {
		record(p, in, out)
		for i := range in.Ends {
			e := &in.Ends[i]
			s.kinds["outcome "+e.Op] = true
			s.value("outcome of "+e.Op+" to "+in.Agent, reflect.ValueOf(e.Call))
		}
		for i := range out.Calls {
			c := &out.Calls[i]
			s.kinds["request "+c.Op] = true
			s.text("key of "+c.Op, c.Key)
			s.value("request of "+c.Op+" by "+in.Agent, reflect.ValueOf(c.Req))
		}
		for i := range out.Rows {
			r := &out.Rows[i]
			s.value("row of "+r.Topic.String(), reflect.ValueOf(r.Val))
		}
		for _, l := range out.Lines {
			s.value("line of "+in.Agent, reflect.ValueOf(l))
		}
	}
}

// tables looks at every row of every topic, those of parts too.
func (s *spy) tables(k *host.Kernel) {
	for _, d := range k.Topics() {
		if h, ok := k.Head(d); ok {
			s.head(d, h)
		}
	}
}

func (s *spy) head(d *bus.Decl, h bus.Head) {
	for key, row := range h.All() {
		s.text("key of "+d.String(), key)
		s.value("table "+d.String(), reflect.ValueOf(row))
	}
}

// recorded looks at all that can be read back from the recording, and counts its frames.
func (s *spy) recorded(t *testing.T) (frames int) {
	t.Helper()
	s.text("the recording", s.tape.String())
	r, err := trace.NewReader(&s.tape)
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames++
		s.value(fmt.Sprintf("the recording: %T", f), reflect.ValueOf(f))
	}
}

// Shape hears the lines of a device.
func (s *spy) Shape(_ scenario.World, o *twin.DeviceOptions) {
	o.OnLine = func(from string, _ time.Duration, l agent.Line) {
		s.value("line of "+from, reflect.ValueOf(l))
	}
}

// Made does nothing.
func (s *spy) Made(scenario.World, *twin.Device) {}

// plant puts secrets into every place of a configuration that has them.
func plant(c *config.EdgeDevConfig) {
	word := func(of string) string { return mark + " " + of }
	c.ProfileServerToken, c.LocalProfileServer = word("profile"), "http://u:"+mark+"lps@10.9.9.9"
	c.Edgeview = &config.EdgeViewConfig{Token: word("edgeview")}
	for _, a := range c.GetApps() {
		a.UserData = base64.StdEncoding.EncodeToString([]byte(word("user data")))
		a.Fixedresources.EnableVnc, a.Fixedresources.VncPasswd = true, word("vnc")
	}
	c.Apps[0].Fixedresources.EnableVnc = false
	wifi := &config.WifiConfig{WifiSSID: "x", Identity: word("wifi user"), Password: word("wifi"),
		Crypto: &config.WifiConfigCryptoblock{Identity: word("eap"), Password: word("eap word")}}
	c.Networks = append(c.Networks, &config.NetworkConfig{Id: "99999999-0000-4000-8000-000000000001",
		Type: evecommon.NetworkType_V4, Wireless: &config.WirelessConfig{
			Type: evecommon.WirelessType_WiFi, WifiCfg: []*config.WifiConfig{wifi}}})
	for _, n := range c.GetNetworks() {
		if n.GetEntProxy() != nil {
			for _, p := range n.GetEntProxy().GetProxies() {
				p.Server = "alice:" + mark + "proxy@10.9.9.9"
			}
		}
	}
	c.PatchEnvelopes = []*config.EvePatchEnvelope{{Uuid: "99999999-0000-4000-8000-000000000002",
		Artifacts: []*config.EveBinaryArtifact{{
			BinaryBlob: &config.EveBinaryArtifact_Inline{
				Inline: &config.InlineOpaqueBase64Data{Base64Data: word("patch")}}}}}}
}

// planted is a life with secrets everywhere: downloads from private datastores, broken answers of
// the controller, a reboot, the saved configuration read again.
func planted(spy *spy) func(*scenario.S) {
	return func(s *scenario.S) {
		files, images := s.Site().Store(scenario.Files), s.Site().Store(scenario.Registry)
		files.Guard(data.Guard{Files: "Bearer " + mark + "-file"})
		images.Guard(data.Guard{User: mark + "-user", Password: mark + "-word", Lasts: time.Minute,
			Realm: "https://" + scenario.Registry + data.TokenPath, Token: mark + "-token-"})
		d := s.Device("edge")
		d.Onboard()
		draft := diskApp(s, web(s, d), "disk", 1<<20)
		draft.MgmtPort("eth1", 1, fleet.Proxy("10.9.9.9", 3128, ""))
		draft = https(draft).Edit(func(c *config.EdgeDevConfig) {
			for _, ds := range c.GetDatastores() {
				ds.ApiKey, ds.Password = mark+"-user", mark+"-word"
				if ds.GetDType() == config.DsType_DsHttps {
					ds.ApiKey, ds.Password = "Bearer", mark+"-file"
				}
			}
			plant(c)
		})
		d.Apply(draft)
		up(s, d, "web")
		up(s, d, "disk")
		spy.tables(d.Machine().Kernel())
		s.Wait(15 * time.Minute) // until the configuration has its backup
		for _, kind := range []controllersim.FaultKind{controllersim.FaultTruncate,
			controllersim.FaultBadSignature, controllersim.FaultCorrupt, controllersim.FaultStatus} {
			s.Fault(controllersim.Fault{Name: "spoiled", Kind: kind, Status: 500})
			d.Set(d.Config().Item("timer.config.interval", "61"))
			s.Wait(5 * time.Minute)
			s.Heal("spoiled")
		}
		saved := d.Twin().Board.Disk.Files
		for _, path := range []string{store.SavedConfig, store.BackupConfig} {
			if !bytes.Contains(saved[path].Data, []byte(mark)) {
				s.Fail("%s is not what EVE would write", path)
			}
		}
		d.PowerCut(5 * time.Second)
		s.Wait(10 * time.Second)
		up(s, d, "web")
		up(s, d, "disk")
		for _, ds := range scenario.Rows(d, content.Datastores) {
			if !strings.HasPrefix(ds.Password, "config:"+ds.UUID+":password:") {
				s.Fail("datastore %s has the password %q", ds.UUID, ds.Password)
			}
		}
		for _, a := range scenario.Rows(d, app.Configs) {
			if !strings.HasPrefix(a.CloudInitUserData, "config:"+a.UUID+":userdata:") {
				s.Fail("application %s has the user data %q", a.UUID, a.CloudInitUserData)
			}
		}
		spy.tables(d.Machine().Kernel())
	}
}

// A recording may be shared: whatever the controller and the datastores trust the device with, no
// agent is told.
func TestNoAgentSeesASecret(t *testing.T) {
	spy := newSpy()
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: 1, Rebuild: 7, FullTurn: 7}, spy.watch, spy)
	if err != nil {
		t.Fatal(err)
	}
	r := scenario.New("planted-secrets", planted(spy)).Run(h, 1)
	if !r.OK {
		t.Fatalf("%s\n%s", r.Error, r.Causes)
	}
	if err := spy.rec.Close(); err != nil {
		t.Fatal(err)
	}
	size := spy.tape.Len()
	frames := spy.recorded(t)
	for _, kind := range []string{"request web.Send", "request web.Fetch", "request store.Write",
		"outcome web.Send", "outcome store.Read", "request hyper.Create"} {
		if !spy.kinds[kind] {
			t.Errorf("there was no %s: the test looks at too little", kind)
		}
	}
	if spy.looks < 20_000 || size < 50_000 || frames < 1000 {
		t.Errorf("%d texts and %d frames in %d bytes of a recording are too little", spy.looks, frames,
			size)
	}
	for _, where := range spy.found(mark) {
		t.Errorf("a secret stands in %s", where)
	}
}
