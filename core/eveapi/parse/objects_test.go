package parse

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	id1     = "22222222-0000-4000-8000-000000000001"
	id2     = "22222222-0000-4000-8000-000000000002"
	sha     = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	noUUID1 = "00000000-0000-0000-0000-000000000000"
)

func local(change func(*config.NetworkInstanceConfig)) *config.NetworkInstanceConfig {
	n := &config.NetworkInstanceConfig{Uuidandversion: &config.UUIDandVersion{Uuid: id1, Version: "1"},
		Displayname: "ni", InstType: 2, IpType: 1, Activate: true, Port: &config.Adapter{Name: "uplink"},
		Ip: &evecommon.Ipspec{Subnet: "10.1.0.0/24"}}
	change(n)
	return n
}

func oneNI(n *config.NetworkInstanceConfig) network.NetworkInstanceConfig {
	out, _ := Instances([]*config.NetworkInstanceConfig{n}, at)
	return out[0]
}

func TestDhcpRange(t *testing.T) {
	for _, c := range []struct{ subnet, gateway, start, end, want string }{
		{"10.1.0.0/24", "", "", "", "10.1.0.1 10.1.0.128 10.1.0.254"},
		{"10.1.0.0/24", "", "", "10.1.0.99", "10.1.0.1 10.1.0.2 10.1.0.99"},
		{"10.1.0.0/29", "", "", "", "10.1.0.1 10.1.0.2 10.1.0.6"},
		{"10.1.0.0/30", "", "", "", "10.1.0.1 10.1.0.2 10.1.0.2"},
		{"10.1.0.0/28", "", "", "", "10.1.0.1 10.1.0.8 10.1.0.14"},
		{"10.1.0.0/16", "", "10.1.0.2", "10.1.255.254", "10.1.0.1 10.1.0.2 10.1.1.1"},
		{"10.1.0.0/24", "", "10.1.0.0", "10.1.0.255", "10.1.0.1 10.1.0.2 10.1.0.254"},
		{"10.1.0.0/24", "10.1.0.254", "10.1.0.1", "10.1.0.9", "10.1.0.254 10.1.0.1 10.1.0.9"},
		{"fd00:1::/64", "", "", "", "fd00:1::1 fd00:1:0:0:8000:: fd00:1::8000:0:0:ff"},
		{"10.1.0.0/31", "", "", "", "! has fewer than 4 addresses"},
		{"10.1.0.0/24", "10.1.0.5", "10.1.0.2", "10.1.0.9", "! gateway(10.1.0.5) inside Dhcp Range"},
		{"10.1.0.0/24", "10.2.0.1", "", "", "! is not in subnet 10.1.0.0/24"},
		{"10.1.0.0/24", "0.0.0.0", "", "", "! is not a usable IP address"},
		{"10.1.0.0/24", "", "10.1.0.9", "10.1.0.2", "! before it starts"},
		{"10.1.0.0/24", "", "10.1.0.9", "10.1.1.2", "! is not in subnet"},
		{"10.1.0.0", "", "", "", "! is not a subnet"},
	} {
		n := local(func(n *config.NetworkInstanceConfig) {
			n.Ip.Subnet, n.Ip.Gateway = c.subnet, c.gateway
			n.Ip.DhcpRange = &evecommon.IpRange{Start: c.start, End: c.end}
			if strings.Contains(c.subnet, "::") {
				n.IpType = 2
			}
		})
		got := oneNI(n)
		if want, isErr := strings.CutPrefix(c.want, "! "); isErr {
			if !strings.Contains(got.Error, want) || !got.ErrorTime.Equal(at) {
				t.Errorf("%v: error %q", c, got.Error)
			}
			continue
		}
		want := strings.Fields(c.want)
		if text := got.Gateway.String() + " " + got.DhcpRange.Start.String(); got.HasError() ||
			text != want[0]+" "+want[1] ||
			got.DhcpRange.End.String() != want[2] {
			t.Errorf("%v gave %s %s %s, error %q", c, got.Gateway, got.DhcpRange.Start,
				got.DhcpRange.End, got.Error)
		}
	}
}

func TestInstanceErrors(t *testing.T) {
	route := func(r *config.IPRoute) func(*config.NetworkInstanceConfig) {
		return func(n *config.NetworkInstanceConfig) { n.StaticRoutes = []*config.IPRoute{r} }
	}
	for want, change := range map[string]func(*config.NetworkInstanceConfig){
		"it has no UUID": func(n *config.NetworkInstanceConfig) {
			n.Uuidandversion = nil
		},
		`its UUID "x/y" is malformed`: func(n *config.NetworkInstanceConfig) {
			n.Uuidandversion.Uuid = "x/y"
		},
		"instance type 255 is unknown": func(n *config.NetworkInstanceConfig) { n.InstType = 255 },
		"IP type 77 is unknown":        func(n *config.NetworkInstanceConfig) { n.IpType = 77 },
		"needs an IP type":             func(n *config.NetworkInstanceConfig) { n.IpType = 0 },
		"it has no IP configuration":   func(n *config.NetworkInstanceConfig) { n.Ip = nil },
		"MTU 1279 is not":              func(n *config.NetworkInstanceConfig) { n.Mtu = 1279 },
		`DNS server "dns" is not`: func(n *config.NetworkInstanceConfig) {
			n.Ip.Dns = []string{"dns"}
		},
		`NTP server "a b" is neither`:    func(n *config.NetworkInstanceConfig) { n.Ip.Ntp = "a b" },
		"has neither gateway nor port":   route(&config.IPRoute{DestinationNetwork: "10.0.0.0/8"}),
		`destination "" is not a subnet`: route(&config.IPRoute{Gateway: "10.1.0.1"}),
		`gateway "0.0.0.0" is not`: route(&config.IPRoute{DestinationNetwork: "0.0.0.0/0",
			Gateway: "0.0.0.0"}),
		"gateway of another IP version": route(&config.IPRoute{DestinationNetwork: "::/0",
			Gateway: "10.1.0.1"}),
		"access VLAN 5000 is not between": func(n *config.NetworkInstanceConfig) {
			n.VlanAccessPorts = []*config.VlanAccessPort{{VlanId: 5000}}
		},
	} {
		if got := oneNI(local(change)); !strings.Contains(got.Error, want) || got.Key() == "" ||
			strings.Contains(got.Key(), "/") {
			t.Errorf("want %q, got %q in row %q", want, got.Error, got.Key())
		}
	}
	sw := oneNI(local(func(n *config.NetworkInstanceConfig) { n.InstType, n.Ip = 1, nil }))
	if sw.HasError() || sw.IpType != 0 || sw.Type != network.NISwitch || !sw.EnableFlowlog {
		t.Errorf("switch %+v", sw)
	}
}

func appOf(change func(*config.AppInstanceConfig)) app.AppInstanceConfig {
	a := &config.AppInstanceConfig{Uuidandversion: &config.UUIDandVersion{Uuid: id2, Version: "1"},
		Displayname: "web", Activate: true, Fixedresources: &config.VmConfig{Memory: 1024, Vcpus: 1},
		Interfaces: []*config.NetworkAdapter{{Name: "eth0", NetworkId: id1}}}
	change(a)
	ni := oneNI(local(func(*config.NetworkInstanceConfig) {}))
	out, _ := Apps(AppInput{Apps: []*config.AppInstanceConfig{a}, BootOrder: "usb",
		Instances: []network.NetworkInstanceConfig{ni}})
	return out[0]
}

func TestAppInterfaces(t *testing.T) {
	acl := func(id int32) []*config.ACE {
		return []*config.ACE{{Id: id, Matches: []*config.ACEMatch{{Type: "lport", Value: "80"}},
			Actions: []*config.ACEAction{{Portmap: true, AppPort: 8080}}}}
	}
	three := []*config.NetworkAdapter{{Name: "c", NetworkId: id1, Acls: acl(3), InterfaceOrder: 1},
		{Name: "a", NetworkId: strings.ToUpper(id1), Acls: acl(1), InterfaceOrder: 2},
		{Name: "b", NetworkId: id1, Acls: acl(2), InterfaceOrder: 0, MacAddress: "02-00-00-00-00-0A"}}
	names := func(a app.AppInstanceConfig) (s string) {
		for i, n := range a.AppNetAdapterList {
			s += n.Name
			if int(n.IfIdx) != i {
				t.Errorf("%s has index %d", n.Name, n.IfIdx)
			}
		}
		return s
	}
	byRule := appOf(func(a *config.AppInstanceConfig) { a.Interfaces = three })
	byOrder := appOf(func(a *config.AppInstanceConfig) {
		a.Interfaces = three
		a.Fixedresources.EnforceNetworkInterfaceOrder = true
	})
	if names(byRule) != "abc" || names(byOrder) != "bca" ||
		len(byRule.Errors)+len(byOrder.Errors) > 0 {
		t.Errorf("%s %s %v %v", names(byRule), names(byOrder), byRule.Errors, byOrder.Errors)
	}
	b := byRule.AppNetAdapterList[1]
	if b.AppMacAddr != "02:00:00:00:00:0a" || b.ACLs[0].RuleID != 2 ||
		b.ACLs[0].Matches[0].Value != "80" || b.ACLs[0].Actions[0].TargetPort != 8080 {
		t.Errorf("%+v", b)
	}
}

func TestAppErrors(t *testing.T) {
	nic := func(n *config.NetworkAdapter) func(*config.AppInstanceConfig) {
		return func(a *config.AppInstanceConfig) { a.Interfaces = []*config.NetworkAdapter{n} }
	}
	for want, change := range map[string]func(*config.AppInstanceConfig){
		"it has no fixedresources": func(a *config.AppInstanceConfig) { a.Fixedresources = nil },
		"virtualization mode 9 is unknown": func(a *config.AppInstanceConfig) {
			a.Fixedresources.VirtualizationMode = 9
		},
		"boot order 9 is unknown": func(a *config.AppInstanceConfig) {
			a.Fixedresources.BootOrder = 9
		},
		"needs virtualization mode NOHYPER": func(a *config.AppInstanceConfig) { a.Service = true },
		"VNC for the shim needs VNC": func(a *config.AppInstanceConfig) {
			a.Fixedresources.EnableVncShimVm = true
		},
		"metadata type 9 is unknown": func(a *config.AppInstanceConfig) { a.MetaDataType = 9 },
		"user data is encrypted": func(a *config.AppInstanceConfig) {
			a.CipherData = &evecommon.CipherBlock{}
		},
		"volume reference 0: its UUID": func(a *config.AppInstanceConfig) {
			a.VolumeRefList = []*config.VolumeRef{{Uuid: "v"}}
		},
		"is referred to twice": func(a *config.AppInstanceConfig) {
			a.VolumeRefList = []*config.VolumeRef{{Uuid: id1}, {Uuid: id1}}
		},
		"has the unknown type 99": func(a *config.AppInstanceConfig) {
			a.Adapters = []*config.Adapter{{Type: 99, Name: "x"}}
		},
		"same order 1": func(a *config.AppInstanceConfig) {
			a.Fixedresources.EnforceNetworkInterfaceOrder = true
			a.Interfaces = []*config.NetworkAdapter{{NetworkId: id1, InterfaceOrder: 1}, {NetworkId: id1,
				InterfaceOrder: 1}}
		},
		"does not exist":    nic(&config.NetworkAdapter{NetworkId: id2}),
		`"n" is not a UUID`: nic(&config.NetworkAdapter{NetworkId: "n"}),
		`MAC address "02:00" is`: nic(&config.NetworkAdapter{NetworkId: id1,
			MacAddress: "02:00"}),
		`address "10.1.0" is not`:        nic(&config.NetworkAdapter{NetworkId: id1, Addr: "10.1.0"}),
		"Static IPv6 addressing (fd00::": nic(&config.NetworkAdapter{NetworkId: id1, Addr: "fd00::1"}),
		"maps to port 0": nic(&config.NetworkAdapter{NetworkId: id1,
			Acls: []*config.ACE{{Actions: []*config.ACEAction{{Portmap: true}}}}}),
		"unknown direction 9": nic(&config.NetworkAdapter{NetworkId: id1,
			Acls: []*config.ACE{{Dir: 9}}}),
		"access VLAN 5000": nic(&config.NetworkAdapter{NetworkId: id1, AccessVlanId: 5000}),
	} {
		if got := appOf(change); !strings.Contains(strings.Join(got.Errors, "\n"), want) {
			t.Errorf("want %q, got %q", want, got.Errors)
		}
	}
	if good := appOf(func(a *config.AppInstanceConfig) {}); len(good.Errors) > 0 ||
		good.FixedResources.BootOrder != 1 || good.BootOrderSource != 3 {
		t.Errorf("%+v", good)
	}
	own := appOf(func(a *config.AppInstanceConfig) { a.Fixedresources.BootOrder = 2 })
	if own.FixedResources.BootOrder != 2 || own.BootOrderSource != 2 {
		t.Errorf("boot order %d from %d", own.FixedResources.BootOrder, own.BootOrderSource)
	}
}

func TestAPI52_LargeAppLosesUserDataFirst(t *testing.T) {
	rules := func(n int) (out []*config.ACE) {
		for i := range n {
			out = append(out, &config.ACE{Id: int32(i), Matches: []*config.ACEMatch{
				{Type: "host", Value: strings.Repeat("h", 250)}}})
		}
		return out
	}
	data := appOf(func(a *config.AppInstanceConfig) { a.UserData = strings.Repeat("u", MaxApp) })
	if data.CloudInitUserData != "" || len(data.Errors) != 1 || !data.Activate {
		t.Errorf("errors %q, user data %d bytes", data.Errors, len(data.CloudInitUserData))
	}
	both := appOf(func(a *config.AppInstanceConfig) {
		a.UserData, a.Interfaces[0].Acls = "u", rules(1000)
	})
	if both.AppNetAdapterList[0].ACLs != nil || len(both.Errors) != 2 || weigh(both, MaxApp) > MaxApp {
		t.Errorf("errors %q", both.Errors)
	}
}

func TestStorage(t *testing.T) {
	good := &config.ContentTree{Uuid: id1, DsId: id2, URL: "a/b", Iformat: 3,
		Sha256: strings.ToUpper(sha)}
	trees, _ := ContentTrees([]*config.ContentTree{good, nil,
		{Uuid: id2, DsIdsList: []string{id1, "z"}, URL: "x", Iformat: 8, DsId: id2}})
	if trees[0].ParseError != "" || trees[0].ContentSha256 != sha || trees[0].Format != content.QCOW2 {
		t.Errorf("%+v", trees[0])
	}
	if !strings.HasPrefix(trees[1].ContentID, Malformed) || trees[1].ParseError == "" {
		t.Errorf("%+v", trees[1])
	}
	if !strings.Contains(trees[2].ParseError, `"z" is not a UUID`) ||
		trees[2].DatastoreIDList[0] != id1 {
		t.Errorf("%+v", trees[2])
	}
	apps := []app.AppInstanceConfig{appOf(func(a *config.AppInstanceConfig) {
		a.VolumeRefList = []*config.VolumeRef{{Uuid: id1, GenerationCount: 4, MountDir: "/data"}}
	})}
	if r := apps[0].VolumeRefConfigList[0]; !r.VerifyOnly || r.AppUUID != id2 ||
		r.MountDir != "/data" {
		t.Errorf("%+v", r)
	}
	vols, _ := Volumes([]*config.Volume{
		{Uuid: id1, GenerationCount: 4, Origin: &config.VolumeContentOrigin{Type: 2,
			DownloadContentTreeID: id1}},
		{Uuid: id1, GenerationCount: 5, ClearText: true, Maxsizebytes: 9,
			Origin: &config.VolumeContentOrigin{Type: 1}},
		{Uuid: id2}, {Uuid: id2, Maxsizebytes: -1, Origin: &config.VolumeContentOrigin{Type: 1}},
	}, apps)
	if vols[0].ParseError != "" || vols[0].HasNoAppReferences || !vols[0].Encrypted ||
		vols[0].Key() != id1+"#4" {
		t.Errorf("%+v", vols[0])
	}
	if vols[1].ParseError != "" || !vols[1].HasNoAppReferences || vols[1].Encrypted {
		t.Errorf("%+v", vols[1])
	}
	if len(vols) != 3 || !strings.Contains(vols[2].ParseError, "another volume") ||
		!strings.Contains(vols[2].ParseError, "negative") {
		t.Errorf("%+v", vols[2:])
	}
}

func TestRowsOfDatastoresHaveReferences(t *testing.T) {
	user, word := "config:"+id1+":apikey:a1b2", "config:"+id1+":password:c3d4"
	stores, _ := Datastores([]*config.DatastoreConfig{
		{Id: id1, DType: 1, Fqdn: "http://x", ApiKey: user, Password: word},
		{Id: id2, DType: 99, Password: "sesame"}})
	if d := stores[0]; d.ApiKey != user || d.Password != word || d.Region != "us-west-2" ||
		d.DsType != content.DsHTTP {
		t.Errorf("%+v", d)
	}
	// A secret that nobody took out does not come in: it is named by its place, that is all.
	if d := stores[1]; d.Password != "config:"+id2+":password:" || d.ApiKey != "" {
		t.Errorf("%+v", d)
	}
	if stores[1].Error != "datastore type 99 is unknown" {
		t.Errorf("%+v", stores[1])
	}
}

func TestAPI53_OthersAreNotAffected(t *testing.T) {
	good := local(func(*config.NetworkInstanceConfig) {})
	rows, _ := Instances([]*config.NetworkInstanceConfig{nil, good, {},
		{Uuidandversion: &config.UUIDandVersion{Uuid: "?"}}}, at)
	ok, bad := 0, map[string]bool{}
	for i := range rows {
		if rows[i].HasError() {
			bad[rows[i].Key()] = true
		} else if ok++; rows[i].UUID != id1 {
			t.Errorf("%+v", rows[i])
		}
	}
	if ok != 1 || len(bad) != 3 {
		t.Errorf("%d good and %d bad rows, want 1 and 3", ok, len(bad))
	}
	var flood []*config.NetworkInstanceConfig
	for i := range 2000 {
		flood = append(flood, &config.NetworkInstanceConfig{InstType: 1,
			Uuidandversion: &config.UUIDandVersion{
				Uuid: "22222222-0000-4000-8000-" + strconv.Itoa(100000000000+i)}})
	}
	if rows, more := Instances(flood, at); len(rows) != MaxObjects || !strings.HasPrefix(more,
		"1100 network") {
		t.Errorf("%d rows, %q", len(rows), more)
	}
}
