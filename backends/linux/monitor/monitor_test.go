package monitor

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// topic is a table of a hub with some rows.
func topic[V bus.Row](t *testing.T, x bus.Topic[V], list ...V) hub.Topic {
	t.Helper()
	h := bus.Empty(1)
	for i, row := range list {
		js, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		h = h.With(row.Key(), uint64(i+2), &hub.Row{JSON: js})
	}
	return hub.Topic{Owner: x.Owner, Name: x.Name, Rows: h}
}

// told are messages as they go over the socket, less their lengths, which must be right.
func told(t *testing.T, list []message) (out []string) {
	t.Helper()
	for _, m := range list {
		b, err := appendFrame(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		n := len(b) - 4
		if !bytes.Equal(b[:4], []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) {
			t.Errorf("a frame of %d bytes begins with %v", n, b[:4])
		}
		back, err := readFrame(bytes.NewReader(b))
		if err != nil || !bytes.Equal(back, b[4:]) {
			t.Errorf("read back: %q, %v", back, err)
		}
		out = append(out, string(b[4:]))
	}
	return out
}

// ports is the state of a device with a VLAN and proxies.
func ports() network.DeviceNetworkStatus {
	p := netip.MustParsePrefix
	eth := network.NetworkPortStatus{IfName: "eth0", Logicallabel: "uplink", Up: true, IsMgmt: true,
		MacAddr: "00:11:22:33:44:55", Dhcp: network.DhcpClient, DomainName: "d",
		AddrInfoList:   []netip.Prefix{p("192.0.2.10/24"), p("2001:db8::5/64"), p("fe80::1/64")},
		DefaultRouters: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
		DNSServers:     []netip.Addr{netip.MustParseAddr("192.0.2.53")}, NtpServers: []string{"ntp"}}
	eth.ProxyConfig = network.ProxyConfig{Exceptions: "a,b",
		Proxies: []network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "proxy", Port: 8080}}}
	eth.Error = "no answer"
	vlan := network.NetworkPortStatus{IfName: "eth0.100", Logicallabel: "office",
		Dhcp: network.DhcpStatic, L2LinkConfig: network.L2LinkConfig{L2Type: network.L2VLAN,
			VLAN: network.VLANConfig{ParentPort: "uplink", ID: 100}}}
	return network.DeviceNetworkStatus{DPCKey: "manual",
		Ports: []network.NetworkPortStatus{vlan, eth}}
}

func TestAllIsToldAndThenWhatChanges(t *testing.T) {
	v := newView(func() string { return "zedcloud.example.com:443" })
	empty := told(t, v.news(nil))
	want := []string{`{"type":"DeviceStatus","message":{"server":"zedcloud.example.com:443",` +
		`"nodeUuid":"00000000-0000-0000-0000-000000000000","onboarded":false,"nodeName":"",` +
		`"serial":"","hardwareModel":"","configStatus":"fail","deviceState":"unspecified",` +
		`"bootReason":"none","rebootReason":"","maintenanceMode":false,"attestState":"none",` +
		`"attestError":"","vault":{"state":"unknown"}}}`,
		`{"type":"NetworkStatus","message":{"dpcKey":""}}`, `{"type":"AppsList","message":{}}`,
		`{"type":"TUIConfig","message":{"logLevel":"info"}}`}
	if diff := cmp.Diff(want, empty); diff != "" {
		t.Errorf("of a device that has shown nothing:\n%s", diff)
	}
	loading := content.DownloaderStatus{ImageSha256: "aa", Name: "i.qcow2", ContentType: "t",
		State: entity.DOWNLOADING, Progress: 42, CurrentSize: 4200, TotalSize: 10000}
	broken := app.AppInstanceStatus{UUIDandVersion: entity.UUIDandVersion{UUID: "u", Version: "2"},
		DisplayName: "db", State: entity.AWAITNETWORKINSTANCE}
	broken.Error = "no network"
	list := []hub.Topic{topic(t, network.DNS, ports()), topic(t, content.DownloadStatuses, loading),
		topic(t, app.Statuses, broken),
		topic(t, node.Onboarding, node.OnboardingStatus{DeviceUUID: "6ba7b810"}),
		topic(t, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent", MaintenanceMode: true,
			ConfigGetStatus: node.ConfigGetReadSaved, DeviceState: node.StatePreparedPoweroff,
			RequestedBootReason: node.BootReasonRebootCmd}),
		topic(t, node.NodeAgent, node.NodeAgentStatus{Name: "nodeagent", RebootReason: "why",
			BootReason: node.BootReasonPowerFail})}
	want = []string{`{"type":"DeviceStatus","message":{"server":"zedcloud.example.com:443",` +
		`"nodeUuid":"6ba7b810","onboarded":true,"nodeName":"","serial":"","hardwareModel":"",` +
		`"configStatus":"readSaved","deviceState":"preparedPowerOff","bootReason":"powerFail",` +
		`"rebootReason":"why","maintenanceMode":true,"attestState":"none","attestError":"",` +
		`"vault":{"state":"unknown"}}}`,
		`{"type":"NetworkStatus","message":{"dpcKey":"manual","interfaces":[{"name":"eth0",` +
			`"label":"uplink","mac":"00:11:22:33:44:55","up":true,"isMgmt":true,"cost":0,` +
			`"media":{"kind":"ethernet"},"network":{"isDhcp":true,"ipv4":["192.0.2.10"],` +
			`"ipv6":["2001:db8::5","fe80::1"],"subnet":"192.0.2.0/24","routes":["192.0.2.1"],` +
			`"dnsServers":["192.0.2.53"],"ntpServers":["ntp"],"domain":"d","proxy":{"mode":"manual",` +
			`"servers":[{"scheme":"https","host":"proxy","port":8080}],"exceptions":["a","b"]},` +
			`"errors":["no answer"]},"vlans":[{"id":100,"name":"eth0.100","label":"office",` +
			`"up":false,"isMgmt":false,"network":{"isDhcp":false,"domain":"",` +
			`"proxy":{"mode":"none"}}}]}]}}`,
		`{"type":"AppsList","message":{"instances":[{"uuid":"u","name":"db","version":"2",` +
			`"state":"awaitNetworkInstance","error":"no network"}]}}`,
		`{"type":"DownloaderStatus","message":{"name":"i.qcow2","state":"DOWNLOADING",` +
			`"contentType":"t","progress":42,"currentSize":4200,"totalSize":10000,"error":""}}`}
	if diff := cmp.Diff(want, told(t, v.news(list))); diff != "" {
		t.Errorf("of a device that shows all:\n%s", diff)
	}
	if again := v.news(list); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}
	loading.Progress = 43
	list[1] = topic(t, content.DownloadStatuses, loading)
	if got := v.news(list); len(got) != 1 || got[0].Type != "DownloaderStatus" {
		t.Errorf("of a download that went on: %+v", got)
	}
	v.news(append(list[:1:1], list[2:]...)) // it has gone, and comes back
	if got := v.news(list); len(got) != 1 {
		t.Errorf("of a download that is back: %+v", got)
	}
}

func TestRequestsAreRead(t *testing.T) {
	id := uint64(15)
	q, err := readRequest([]byte(`{"id":15,"RequestType":"SetInterfaceConfig","RequestData":{
		"iface":"eth0","ip":{"mode":"static","config":{"ip":"192.0.2.10","subnet":"192.0.2.0/24",
		"gateway":"192.0.2.1","dnsServers":["192.0.2.53","2001:db8::53"]}},
		"proxy":{"mode":"manual","servers":[{"scheme":"http","host":"proxy","port":8080}],
		"exceptions":["x"]},"ntp":["pool.ntp.org"],"domain":"example.com"}}`))
	want := device.RequestSeen{Kind: device.SetInterface, Interface: &device.Interface{Name: "eth0",
		Mode: "static", Address: "192.0.2.10", Subnet: "192.0.2.0/24", Gateway: "192.0.2.1",
		DNSServers: []string{"192.0.2.53", "2001:db8::53"}, NTP: []string{"pool.ntp.org"},
		Domain: "example.com", Proxy: device.Proxy{Mode: "manual", Exceptions: []string{"x"},
			Servers: []device.ProxyServer{{Scheme: "http", Host: "proxy", Port: 8080}}}}}
	if diff := cmp.Diff(want, q.seen); diff != "" || err != nil || *q.id != id {
		t.Errorf("%v %s", err, diff)
	}
	q, err = readRequest([]byte(`{"id":0,"RequestType":"SetServer","RequestData":"s:1"}`))
	if q.seen.Kind != device.SetServer || q.seen.Server != "s:1" || err != nil || q.id == nil {
		t.Errorf("SetServer: %+v, %v", q, err)
	}
	q, err = readRequest([]byte(`{"id":1,"RequestType":"RevertManualConfig","RequestData":{}}`))
	if q.seen.Kind != device.Revert || err != nil {
		t.Errorf("RevertManualConfig: %+v, %v", q, err)
	}
	for text, answered := range map[string]bool{
		`{`: false, `{"RequestType":"SetServer","RequestData":"s"}`: false,
		`{"id":1}`: true, `{"id":1,"RequestType":"SetServer","RequestData":{}}`: true,
		`{"id":1,"RequestType":"SetServer"}`:                                                  true,
		`{"id":1,"RequestType":"Reboot","RequestData":{}}`:                                    true,
		`{"id":1,"RequestType":"RevertManualConfig"}`:                                         true,
		`{"id":1,"RequestType":"SetInterfaceConfig","RequestData":{"iface":7}}`:               true,
		`{"id":1,"RequestType":"SetInterfaceConfig","RequestData":{"proxy":{"servers":"x"}}}`: true,
	} {
		if q, err := readRequest([]byte(text)); err == nil || (q.id != nil) != answered {
			t.Errorf("%s: %+v, %v", text, q, err)
		}
	}
}

func TestResponsesAndLongFrames(t *testing.T) {
	got := told(t, []message{response(15, ""), response(10, "big error")})
	if diff := cmp.Diff([]string{`{"type":"Response","message":{"Ok":"ok","id":15}}`,
		`{"type":"Response","message":{"Err":"big error","id":10}}`}, got); diff != "" {
		t.Error(diff)
	}
	if b, err := readFrame(bytes.NewReader([]byte{0, 0, 32, 0, 'x'})); err == nil {
		t.Errorf("a frame of 2 MiB is read: %q", b)
	}
	if b, err := readFrame(bytes.NewReader([]byte{2, 0, 0, 0, 'x'})); err == nil {
		t.Errorf("half a frame is read: %q", b)
	}
}
