package scenarios

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/info"
	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/metadata"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// inquires has an application ask the metadata service and returns "code body"; from is an address
// that its guest makes up, empty for its own.
func inquires(d *scenario.D, name, from string, q metadata.Request) string {
	b := d.Twin().Board.Bridge
	var at netip.Addr
	if from != "" {
		at = netip.MustParseAddr(from)
	}
	a, ok := b.Ask(b.Vif(d.Config().AppID(name), "eth0"), at, q)
	if !ok {
		return "nobody answers"
	}
	return fmt.Sprintf("%d %s", a.Code, a.Body)
}

// finds returns a function for Eventually: what an application finds at a path.
func finds(d *scenario.D, name, path string) func() any {
	return func() any { return inquires(d, name, "", metadata.Request{Method: "GET", Path: path}) }
}

// posts has an application post JSON, and wants a code.
func posts(s *scenario.S, d *scenario.D, name, path, body, code string) {
	got := inquires(d, name, "", metadata.Request{Method: "POST", Path: path, Type: "application/json",
		Body: []byte(body)})
	if !strings.HasPrefix(got, code+" ") {
		s.Fail("%s posts to %s: %s, want %s", name, path, got, code)
	}
}

// toldOf returns a function for Eventually: what the controller was told that an application tells
// of itself, "nothing" before it was told.
func toldOf(d *scenario.D, id string, t app.MetaDataType) func() any {
	return func() (out any) {
		out = "nothing"
		d.Record(func(r *fleet.Device) {
			last, ok := r.Last(eveapi.Info, info.ZInfoTypes_ZiAppInstMetaData, app.MetaDataKey(id, t))
			if !ok {
				return
			}
			m, err := eveapi.ParseInfo(last.Body)
			if err != nil {
				out = err.Error()
				return
			}
			out = string(m.GetAmdinfo().GetData())
		})
		return out
	}
}

const (
	statusPath = "/eve/v1/app/appCustomStatus"
	kubePath   = "/eve/v1/kubeconfig"
	cloudData  = "#cloud-config\nssh_authorized_keys: [ssh-ed25519 AAAA me]\n"
)

var appMetadata = scenario.New("app-metadata", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	cloud := webApp("cloud", "lan", 8081)
	cloud.MetaData = config.MetaDataType_MetaDataOpenStack
	cloud.UserData = base64.StdEncoding.EncodeToString([]byte(cloudData))
	cloud.Interfaces[0].Discovers = true
	d.Apply(web(s, d).Volume(fleet.Volume{Name: "cloud", Image: "web"}).App(cloud))
	up(s, d, "web")
	up(s, d, "cloud")
	id := d.Config().AppID("web")
	port, _ := d.Twin().Board.Nic.Address("eth0")

	s.Eventually(finds(d, "web", "/eve/v1/hostname"), time.Minute).Should(Equal("200 " + id + "\n"))
	s.Eventually(finds(d, "web", "/eve/v1/network.json"), time.Minute).Should(And(
		ContainSubstring(port.String()), ContainSubstring(`"device-uuid":"`+d.UUID()+`"`)))
	s.Eventually(finds(d, "web", "/eve/v1/discover-network.json"), time.Minute).
		Should(HavePrefix("403 "))
	s.Eventually(finds(d, "cloud", "/eve/v1/discover-network.json"), time.Minute).
		Should(ContainSubstring(id))
	s.Eventually(finds(d, "web", "/openstack/latest/user_data"), time.Minute).
		Should(HavePrefix("404 "))
	s.Eventually(finds(d, "cloud", "/openstack/latest/user_data"), time.Minute).
		Should(Equal("200 " + cloudData))
	s.Eventually(finds(d, "cloud", "/openstack/latest/meta_data.json"), time.Minute).
		Should(ContainSubstring("ssh-ed25519 AAAA me"))

	// What applications post reaches the controller byte by byte, the newest of each type.
	posts(s, d, "web", statusPath, `{"load": 1}`, "200")
	posts(s, d, "web", kubePath, "kind: \x00 Config", "200")
	s.Eventually(toldOf(d, id, app.MetaDataCustomStatus), time.Minute).Should(Equal(`{"load": 1}`))
	s.Eventually(toldOf(d, id, app.MetaDataKubeConfig), time.Minute).
		Should(Equal("kind: \x00 Config"))
	posts(s, d, "web", statusPath, strings.Repeat("x", bridge.MaxPost+1), "500")
	if a := inquires(d, "web", "", metadata.Request{Method: "POST", Path: statusPath,
		Type: "text/plain"}); !strings.HasPrefix(a, "415 ") {
		s.Fail("a post of text: %s", a)
	}
	if a := inquires(d, "web", "10.1.0.99", metadata.Request{Method: "POST", Path: statusPath,
		Type: "application/json"}); a != "204 " {
		s.Fail("a post of a stranger: %s", a)
	}
	posts(s, d, "web", statusPath, `{"load": 2}`, "200")
	s.Eventually(toldOf(d, id, app.MetaDataCustomStatus), time.Minute).Should(Equal(`{"load": 2}`))

	// It is on flash; user data comes again with the saved configuration.
	d.PowerCut(time.Minute)
	s.Wait(time.Minute)
	up(s, d, "cloud")
	s.Eventually(finds(d, "cloud", "/openstack/latest/user_data"), time.Minute).
		Should(Equal("200 " + cloudData))
	if n := len(scenario.Rows(d, app.MetaData)); n != 2 {
		s.Fail("%d rows of what applications told after a power cut, want 2", n)
	}
	d.Apply(d.Config().RemoveApp("web").RemoveVolume("web"))
	s.Eventually(toldOf(d, id, app.MetaDataCustomStatus), 5*time.Minute).Should(BeEmpty())
	s.Eventually(toldOf(d, id, app.MetaDataKubeConfig), 5*time.Minute).Should(BeEmpty())
}, scenario.Covers("NET-37", "APP-53"))
