package nim_test

import (
	"os"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
)

const overrideFile = "/config/DevicePortConfig/override.json"

// testdata reads a file of real devices' overrides.
func testdata(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestOverrideFilesOfRealDevices(t *testing.T) {
	cases := []struct {
		name string
		look func(*network.NetworkPortConfig) bool
	}{
		{"explicit-proxy", func(p *network.NetworkPortConfig) bool {
			return len(p.Proxies) == 2 && p.Proxies[1] == network.ProxyEntry{Type: network.ProxyHTTPS,
				Server: "http://my-proxy.sdn", Port: 9091} && len(p.ProxyCertPEM) == 1 &&
				strings.HasPrefix(p.ProxyCertPEM[0], "-----BEGIN CERTIFICATE-----")
		}},
		{"static-ips", func(p *network.NetworkPortConfig) bool {
			return p.Dhcp == network.DhcpStatic && p.AddrSubnet == "172.22.12.10/24" &&
				p.Gateway.String() == "172.22.12.1" && len(p.DNSServers) == 1 &&
				p.DNSServers[0].String() == "10.16.16.25"
		}},
		{"local-ni-multiple-ports", func(p *network.NetworkPortConfig) bool {
			return p.Dhcp == network.DhcpClient && p.Type == network.NetworkV4
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, "eth0", "eth1")
			l.file(overrideFile, testdata(t, c.name+".json"))
			l.settings()
			l.run()
			l.in("override", network.DPCSuccess)
			d := l.dpcl().PortConfigList[0]
			p := &d.Ports[0]
			if d.TimePriority.Year() != 2000 || p.IfName != "eth0" || p.Logicallabel != "eth0" ||
				!p.IsMgmt || !p.IsL3Port || p.Cost != 0 || p.ConfigSource != network.OriginOverride ||
				strings.Join(p.SharedLabels, " ") != "all freeuplink uplink" || !c.look(p) {
				t.Errorf("taken in as %+v", d)
			}
			row := rig.Rows(l.Rig, network.PortConfigFiles)
			if len(row) != 1 || row[0].DPCKey != "override" || row[0].HasError() {
				t.Errorf("rows of files: %+v", row)
			}
		})
	}
}

func TestOverrideFileInOtherForms(t *testing.T) {
	l := newLab(t, "eth0")
	l.file("/config/DevicePortConfig/site.json", `{"version":"1","ports":[{"ifname":"eth0",
		"ISMGMT":"true","Dhcp":"4","Type":4,"Gateway":"","DnsServers":["", "9.9.9.9"],
		"NtpServer":"1.2.3.4","NTPServers":null,"AddrSubnet":"","Proxies":null,"Unknown":{"a":[1]},
		"WirelessCfg":{"WType":0},"Cost":3}]}`)
	l.settings()
	l.run()
	l.in("site", network.DPCSuccess)
	d := l.dpcl().PortConfigList[0]
	p := d.Ports[0]
	if p.Cost != 3 || len(p.DNSServers) != 1 || len(p.NTPServers) != 1 || p.Gateway.IsValid() ||
		d.TimePriority.Year() != 1980 {
		t.Errorf("taken in as %+v", d)
	}
}

func TestOverrideFileRefusedWithFieldAndReason(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"truncated", `{"Version":1,"Ports":[{"IfName":"eth0"`, "the file is not JSON"},
		{"another kind", `[1,2]`, "the file is not a JSON object"},
		{"address", `{"Ports":[{"IfName":"eth0","Gateway":"10.0.0.300"}]}`,
			`Ports[0].Gateway: is not an IP address: "10.0.0.300"`},
		{"server", `{"Ports":[{},{"DnsServers":["10.0.0.1","x"]}]}`,
			`Ports[1].DNSServers[1]: is not an IP address: "x"`},
		{"range", `{"Ports":[{"Cost":256}]}`, "Ports[0].Cost: is not a number from 0 to 255: 256"},
		{"flag", `{"Ports":[{"IsMgmt":"maybe"}]}`, `Ports[0].IsMgmt: is neither true nor false`},
		{"time", `{"TimePriority":"yesterday","Ports":[{}]}`, "TimePriority: is not a time"},
		{"list", `{"Ports":{"IfName":"eth0"}}`, "Ports: is not a list"},
		{"proxy", `{"Ports":[{"Proxies":[{"Type":0,"Server":"p","Port":"http"}]}]}`,
			"Ports[0].Proxies[0].Port: is not a number from 0 to 4294967295"},
		{"certificate", `{"Ports":[{"pubsub-large-ProxyCertPEM":["aGVsbG8="]}]}`,
			"Ports[0].pubsub-large-ProxyCertPEM[0]: is not a certificate in PEM"},
		{"key", `{"Key":"zedagent","Ports":[{}]}`, `Key: "zedagent" is kept for another source`},
		{"empty", `{"Version":1}`, "there is no port in Ports"},
		{"large", strings.Repeat(" ", 16<<10) + "{}", "the file has 16386 bytes, more than 16384"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, "eth0")
			l.file(overrideFile, c.text)
			l.settings()
			l.run()
			rows := rig.Rows(l.Rig, network.PortConfigFiles)
			if len(rows) != 1 || !strings.Contains(rows[0].Error, c.want) {
				t.Fatalf("rows of files: %+v; want the error to hold %q", rows, c.want)
			}
			l.pass(minute)
			l.in("lastresort", network.DPCSuccess)
		})
	}
}

func TestPortThatCannotBeServed(t *testing.T) {
	cases := []struct{ name, port, want string }{
		{"bond", `"L2Type":2,"Bond":{"AggregatedPorts":["a","b"],"Mode":2}`, "bonds are not supported"},
		{"wifi", `"WirelessCfg":{"WType":2,"Wifi":[{"SSID":"x"}]}`, "Wi-Fi is not supported"},
		{"modem", `"WirelessCfg":{"WType":1}`, "cellular modems are not supported"},
		{"802.1X", `"PNAC":{"Enabled":true}`, "802.1X is not supported"},
		{"pac", `"Pacfile":"ZnVuY3Rpb24="`, "proxy auto-configuration (PAC) is not supported"},
		{"wpad", `"NetworkProxyEnable":true`, "proxy auto-discovery (WPAD) is not supported"},
		{"subnet", `"Dhcp":1,"AddrSubnet":"10.1.1.1"`, "AddrSubnet \"10.1.1.1\" is not an address"},
		{"twice", `"Logicallabel":"eth0"`, "its label or interface is used by another port"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, "eth0", "eth1")
			l.file(overrideFile, `{"Version":1,"Ports":[
				{"IfName":"eth0","IsMgmt":true,"Dhcp":4,"Type":4},
				{"IfName":"eth1","IsMgmt":true,"Dhcp":4,"Type":4,`+c.port+`}]}`)
			l.settings()
			l.run()
			l.in("override", network.DPCSuccess)
			d := l.dns()
			if p := d.Ports[1]; !strings.Contains(p.Error, c.want) || !p.InvalidConfig {
				t.Errorf("error of the port: %q", p.Error)
			}
			if p := d.Ports[0]; p.HasError() || len(p.Addrs()) == 0 {
				t.Errorf("the other port: %+v", p)
			}
		})
	}
}

func TestNET3_WhatIsThereDecidesWhereToBegin(t *testing.T) {
	const text = `{"Version":1,"Ports":[{"IfName":"eth0","IsMgmt":true,"Dhcp":4}]}`
	ignored := func(l *lab, want string) {
		t.Helper()
		l.run()
		rows := rig.Rows(l.Rig, network.PortConfigFiles)
		if len(rows) != 1 || rows[0].DPCKey != "" || !strings.Contains(rows[0].Ignored, want) {
			t.Errorf("rows of files: %+v", rows)
		}
	}
	t.Run("files", func(t *testing.T) {
		l := newLab(t, "eth0")
		l.file("/config/DevicePortConfig/plant.json", text)
		l.settings()
		l.run()
		l.in("plant", network.DPCSuccess)
	})
	t.Run("bootstrap beats files", func(t *testing.T) {
		l := newLab(t, "eth0")
		l.file(overrideFile, text)
		l.file("/config/bootstrap-config.pb", "signed")
		l.settings()
		ignored(l, "bootstrap")
		if n := len(l.dpcl().PortConfigList); n != 0 {
			t.Fatalf("%d configurations before zedagent has read the bootstrap", n)
		}
		l.wish(dpc("bootstrap", 1, "eth0"))
		l.run()
		l.in("bootstrap", network.DPCSuccess)
	})
	for _, saved := range []string{"lastconfig", "lastconfig.bak"} {
		t.Run(saved+" beats both", func(t *testing.T) {
			l := newLab(t, "eth0")
			l.file(overrideFile, text)
			l.file("/config/bootstrap-config.pb", "signed")
			l.file("/persist/checkpoint/"+saved, "envelope")
			l.settings()
			ignored(l, "configuration of its controller")
			l.wish(dpc("zedagent", 1, "eth0"))
			l.run()
			l.in("zedagent", network.DPCSuccess)
			if l.keys() != "zedagent" {
				t.Errorf("the list is %q", l.keys())
			}
		})
	}
	t.Run("an empty one counts for nothing", func(t *testing.T) {
		l := newLab(t, "eth0")
		l.file(overrideFile, text)
		l.file("/persist/checkpoint/lastconfig", "")
		l.settings()
		l.run()
		l.in("override", network.DPCSuccess)
	})
}

func TestFileThatCannotBeReadIsReadAgain(t *testing.T) {
	l := newLab(t, "eth0")
	l.file(overrideFile, testdata(t, "static-ips.json"))
	l.settings()
	l.brokenDisk = true
	l.run()
	rows := rig.Rows(l.Rig, network.PortConfigFiles)
	if len(rows) != 1 || !strings.Contains(rows[0].Error, "disk failed") {
		t.Fatalf("rows of files: %+v", rows)
	}
	l.pass(30e9)
	l.brokenDisk = false
	l.pass(11e9)
	l.in("override", network.DPCSuccess)
	if rows := rig.Rows(l.Rig, network.PortConfigFiles); rows[0].HasError() {
		t.Errorf("the error stays: %+v", rows)
	}
}

func TestProxyOfAFileIsUsedForTheTest(t *testing.T) {
	l := newLab(t, "eth0")
	l.file(overrideFile, testdata(t, "explicit-proxy.json"))
	var via web.Via
	l.answer = func(r web.SendReq) (int, *agent.Fault) {
		via = r.Via
		return 200, nil
	}
	l.settings()
	l.run()
	if via.Proxy != "http://my-proxy.sdn:9091" || len(via.RootPEM) != 1 || len(via.DNS) != 1 {
		t.Errorf("the test went %+v", via)
	}
	if p := l.dns().Ports[0]; len(p.Proxies) != 2 || len(p.ProxyCertPEM) != 1 {
		t.Errorf("published proxies: %+v", p.ProxyConfig)
	}
}
