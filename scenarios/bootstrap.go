package scenarios

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// around gives a device a network model and files of /config.
func around(m *world.Model, files map[string][]byte) scenario.DeviceOption {
	return scenario.Options(func(o *twin.DeviceOptions) { o.Model, o.Config = m, files })
}

// bootstrap is the file that tells a device before its first contact what the controller would.
func bootstrap(s *scenario.S, draft *fleet.Draft) map[string][]byte {
	var file []byte
	s.Controller(func(c *controllersim.Controller) {
		cfg, err := draft.Build()
		s.Must(err)
		file, err = c.Bootstrap(cfg)
		s.Must(err)
	})
	return map[string][]byte{"bootstrap-config.pb": file}
}

// onboards turns a device on, waits until the controller knows it, gives it the web application
// with the ports of a draft, and cuts the power, so that all of it holds after a boot, too.
func onboards(s *scenario.S, d *scenario.D, port func(*fleet.Draft) *fleet.Draft) {
	d.Onboard()
	d.Apply(port(web(s, d).RemovePort("eth0").RemovePort("eth1")))
	up(s, d, "web")
	s.Eventually(d.DPC, 10*time.Minute).Should(Equal("zedagent"))
	s.Eventually(dpcIndex(d), 10*time.Minute).Should(Equal(0))
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_SUCCESS"))
	d.PowerCut(time.Second)
	s.Wait(time.Second)
	up(s, d, "web")
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_SUCCESS"))
	n := polled(d)
	s.Eventually(func() any { return polled(d) }, 5*time.Minute).Should(BeNumerically(">", n+1))
}

// stranger returns a network that gives no addresses.
func stranger() *world.Model {
	m := world.Default(1)
	m.Networks[0].DHCP.Enable = false
	return m
}

// static is a port with a fixed address in the network of stranger.
func static(d *fleet.Draft) *fleet.Draft {
	return d.MgmtPort("eth0", 0,
		fleet.Static("10.80.0.200", "10.80.0.0/24", "10.80.0.1", "10.81.0.53"))
}

var staticOverride = scenario.New("static-override", func(s *scenario.S) {
	file := `{"TimePriority":"2000-01-01T00:00:00Z","Version":1,"Ports":[{"IfName":"eth0",
		"IsMgmt":true,"Free":true,"Dhcp":1,"Type":4,"AddrSubnet":"10.80.0.200/24",
		"Gateway":"10.80.0.1","DnsServers":["10.81.0.53"]}]}`
	d := s.Device("edge", around(stranger(),
		map[string][]byte{"DevicePortConfig/override.json": []byte(file)}))
	onboards(s, d, static)
})

var staticBootstrap = scenario.New("static-bootstrap", func(s *scenario.S) {
	files := bootstrap(s, static(fleet.NewDraft("edge")))
	forged := bytes.Clone(files["bootstrap-config.pb"])
	at := bytes.Index(forged, []byte("10.80.0.200"))
	forged[at+10]++ // another address than the one that was signed
	bad := s.Device("forged", around(stranger(), map[string][]byte{"bootstrap-config.pb": forged}))
	bad.Boot()
	s.Eventually(configError(bad), 10*time.Minute).Should(ContainSubstring("bootstrap"))
	s.Wait(20 * time.Minute)
	if bad.UUID() != "" {
		s.Fail("a forged bootstrap configuration was taken")
	}
	d := s.Device("edge", around(stranger(), files))
	onboards(s, d, static)
	keys := ""
	for _, c := range scenario.Get(d, network.DPCL, "global").PortConfigList {
		keys += c.Key() + " "
	}
	if keys != "zedagent " && keys != "zedagent lastresort " {
		s.Fail("after the controller's configuration there are port configurations %s", keys)
	}
}, scenario.Covers("API-27", "NET-2"))

// tagged is a network of VLAN 7 behind the port, with nothing outside of it.
func tagged() *world.Model {
	m := stranger()
	lan := m.Networks[0]
	lan.Label, lan.VLAN, lan.Subnet = "tagged", 7, netip.MustParsePrefix("10.90.0.0/24")
	lan.Gateway, lan.DHCP.Enable = netip.MustParseAddr("10.90.0.1"), true
	lan.DHCP.Range = world.Range{From: netip.MustParseAddr("10.90.0.10"),
		To: netip.MustParseAddr("10.90.0.20")}
	m.Networks = append(m.Networks, lan)
	return m
}

var vlanBootstrap = scenario.New("vlan-bootstrap", func(s *scenario.S) {
	vlan := func(d *fleet.Draft) *fleet.Draft {
		return static(d).RemovePort("eth0").VLAN("vlan7", "eth0", 7, 0)
	}
	d := s.Device("edge", around(tagged(), bootstrap(s, vlan(fleet.NewDraft("edge")))))
	onboards(s, d, vlan)
	if port := d.MgmtPort(); port != "vlan7" {
		s.Fail("the management port is %v", port)
	}
})

// walled is a network that reaches nothing but a proxy and its own DNS server.
func walled() *world.Model {
	m := world.Default(1)
	m.Networks[0].Router = &world.Router{Endpoints: []string{world.DefaultDNS, "proxy"}}
	subnet := netip.MustParsePrefix("10.82.0.0/24")
	m.Endpoints.ExplicitProxies = []world.ExplicitProxy{{
		Endpoint: world.Endpoint{Label: "proxy", FQDN: "proxy.sdn",
			EndIP: world.EndIP{Subnet: subnet, IP: netip.MustParseAddr("10.82.0.40")}},
		Proxying:   world.Proxying{Resolvers: world.Resolvers{PrivateDNS: []string{world.DefaultDNS}}},
		HTTPProxy:  world.ProxyPort{Port: 9090, ListenProto: "http"},
		HTTPSProxy: world.ProxyPort{Port: 9090, ListenProto: "http"},
	}}
	return m
}

var proxyBootstrap = scenario.New("proxy-bootstrap", func(s *scenario.S) {
	port := func(d *fleet.Draft) *fleet.Draft {
		return d.MgmtPort("eth0", 0, fleet.Proxy("10.82.0.40", 9090, ""))
	}
	d := s.Device("edge", around(walled(), bootstrap(s, port(fleet.NewDraft("edge")))))
	onboards(s, d, port)
	booted := d.App("web").BootTime
	d.Twin().World.SetServer("proxy", world.Refusing)
	d.Set(d.Config().Item("timer.metric.interval", "61"))
	s.Wait(20 * time.Minute)
	s.Eventually(configError(d), 5*time.Minute).Should(ContainSubstring("refused"))
	unharmed(s, d, booted, "the proxy is gone")
	d.Twin().World.SetServer("proxy", world.Up)
	s.Eventually(configError(d), 30*time.Minute).Should(BeEmpty())
})

var noBootstrap = scenario.New("no-way-out", func(s *scenario.S) {
	for i, m := range []*world.Model{stranger(), tagged(), walled()} {
		d := s.Device(fmt.Sprintf("edge%d", i), around(m, nil))
		d.Boot()
		s.Wait(30 * time.Minute)
		if d.UUID() != "" {
			s.Fail("device %d is onboarded without being told how", i)
		}
		n := scenario.Get(d, network.DNS, "global")
		if n == nil || len(n.Ports) != 1 || n.Ports[0].Error == "" {
			s.Fail("device %d does not say what is in its way: %+v", i, n)
		}
	}
})

var spoiledSettings = scenario.New("spoiled-settings", func(s *scenario.S) {
	file := `{"GlobalSettings": {"timer.metric.interval": {"ItemType": "number"}}}`
	d := s.Device("edge", around(world.Default(2),
		map[string][]byte{"GlobalConfig/global.json": []byte(file)}))
	d.Onboard()
	d.Apply(web(s, d))
	up(s, d, "web")
	is := ContainSubstring("/config/GlobalConfig/global.json: parse settings: ")
	s.Eventually(configError(d), time.Minute).Should(is)
	s.Eventually(reportedError(d), 2*time.Minute).Should(is)
	s.Wait(10 * time.Minute)
	s.Eventually(reportedError(d), time.Minute).Should(is)
})
