package world

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// realModels finds the six models that Eden publishes, where they lie beside the repository.
func realModels(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("EVETWIN_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(dir, "networks", "*", "network-model.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no network models in %s; EVETWIN_DATA names the folder that has them", dir)
	}
	return files
}

func TestParseRealModels(t *testing.T) {
	for _, f := range realModels(t) {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(f, data)
		if err != nil {
			t.Errorf("refused: %v", err)
			continue
		}
		if len(m.Unknown) > 0 {
			t.Errorf("%s: unknown fields %v", f, m.Unknown)
		}
	}
}

// TestRealModelsMeanWhatTheySay sends the requests that the device configurations beside the
// models would send, from the addresses that they give the ports.
func TestRealModelsMeanWhatTheySay(t *testing.T) {
	const (
		adamURL = "https://mydomain.adam/api/v2/edgedevice/ping"
		px      = "http://my-proxy.sdn:"
	)
	worlds := map[string]*World{}
	for _, f := range realModels(t) {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(f, data)
		if err != nil {
			t.Fatal(err)
		}
		worlds[filepath.Base(filepath.Dir(f))] = New(m, Options{Controller: adam(t)})
	}
	for _, c := range []struct {
		model, port string
		vlan        uint16
		src         string // empty: by DHCP
		dns         string // must be what DHCP tells, where that is used
		url, proxy  string
		code        Code
	}{
		{"static-ips", "eveport0", 0, "172.22.12.10", "10.16.16.25", adamURL, "", ""},
		{"vlan-subinterfaces", "eveport0", 10, "", "10.16.16.25", adamURL, "", ""},
		{"vlan-subinterfaces", "eveport0", 20, "", "10.16.16.25", adamURL, "", Unreachable},
		{"vlan-subinterfaces", "eveport0", 0, "", "10.16.16.25", adamURL, "", Unreachable},
		{"vlan-subinterfaces", "eveport0", 20, "", "10.16.16.25",
			"http://httpserver-20.sdn/helloworld", "", ""},
		{"vlan-subinterfaces", "eveport0", 20, "", "10.16.16.25",
			"http://httpserver-10.sdn/helloworld", "", Unreachable},
		{"ipv6-network", "eveport0", 0, "", "fd30:eff3:45b1:5243::53", adamURL, "", ""},
		{"explicit-proxy", "eveport0", 0, "", "10.16.16.25", adamURL, "", DNSNotFound},
		{"explicit-proxy", "eveport0", 0, "", "10.16.16.25", adamURL, px + "9091", ""},
		{"explicit-proxy", "eveport0", 0, "", "10.16.16.25", "https://zededa.com/", px + "9091",
			ProxyRefused},
		{"explicit-proxy", "eveport0", 0, "", "10.16.16.25", "http://google.com/", px + "9090", ""},
		{"multiple-uplinks", "eveport0", 0, "", "10.16.16.25", adamURL, "", ""},
		{"multiple-uplinks", "eveport1", 0, "192.168.55.2", "10.16.16.25", adamURL, "", Unreachable},
		{"multiple-uplinks", "eveport1", 0, "192.168.55.2", "10.16.16.25",
			"http://10.21.21.70/helloworld", "", ""},
		{"multiple-uplinks", "eveport2", 0, "", "10.16.16.25", "http://10.22.22.70/helloworld", "", ""},
		{"local-ni-multiple-ports", "eveport0", 0, "", "10.16.16.25",
			"https://index.docker.io/", "", TLS},
		{"local-ni-multiple-ports", "eveport1", 0, "172.28.20.10", "10.16.16.25",
			"http://httpserver0.sdn/helloworld", "", Unreachable},
		{"local-ni-multiple-ports", "eveport2", 0, "", "10.17.17.25",
			"http://httpserver0.sdn/helloworld", "", ""},
		{"local-ni-multiple-ports", "eveport3", 0, "10.40.40.30", "10.17.17.25", adamURL, "", ""},
	} {
		w := worlds[c.model]
		f := From{Attach: Attach{c.port, c.vlan, mac(1)}}
		if c.src != "" {
			f.Src = addr(c.src)
			wantCode(t, c.model+": DHCP", w.DHCP4(noon(), f.Attach, DHCPAsk{}).Err, Timeout)
		} else {
			ask := w.DHCP4
			if c.model == "ipv6-network" {
				ask = w.DHCP6
			}
			l := ask(noon(), f.Attach, DHCPAsk{})
			if l.Err != nil || !slices.Contains(l.Offer.DNS, addr(c.dns)) || l.Offer.Domain != "sdn" {
				t.Errorf("%s %s: %+v %v", c.model, c.port, l.Offer, l.Err)
				continue
			}
			f.Src = l.Offer.Addr.Addr()
		}
		r := get(t, c.url, c.dns)
		if c.proxy != "" {
			r.Proxy = mustURL(t, c.proxy)
		}
		res := w.Do(noon(), f, r)
		wantCode(t, c.model+" "+c.port+" "+c.url, res.Err, c.code)
		if c.proxy == px+"9091" && res.Err == nil {
			verify(t, res.TLS, w.m.Endpoints.ExplicitProxies[0].CACertPEM, "mydomain.adam")
		}
	}
}
