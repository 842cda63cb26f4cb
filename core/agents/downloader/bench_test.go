package downloader

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	sha    = "aa00000000000000000000000000000000000000000000000000000000000000"
	target = "0123." + sha
)

// port is a management port with an address for each given.
func port(label string, cost uint8, addrs ...string) network.NetworkPortStatus {
	p := network.NetworkPortStatus{IfName: label, Logicallabel: label, IsMgmt: true,
		IsL3Port: true, Up: true, Cost: cost, DNSServers: []netip.Addr{netip.MustParseAddr("9.9.9.9")}}
	for _, s := range addrs {
		p.AddrInfoList = append(p.AddrInfoList, netip.PrefixFrom(netip.MustParseAddr(s), 24))
	}
	return p
}

func ports(r *rig.Rig, list ...network.NetworkPortStatus) {
	rig.Put(r, network.DNS, network.DeviceNetworkStatus{Ports: list})
}

func items(r *rig.Rig, values ...config.Value) {
	rig.Put(r, config.Items, config.ConfigItemValueMap{Values: values, FromController: true})
}

func datastore(r *rig.Rig, id, kind, fqdn string) {
	rig.Put(r, content.Datastores, content.DatastoreConfig{UUID: id, DsType: kind, Fqdn: fqdn})
}

// bench has one port, one HTTP datastore and all tables complete.
func bench(t *testing.T) *rig.Rig {
	r := rig.New(t, "downloader", New)
	items(r)
	ports(r, port("eth0", 0, "10.0.0.2"))
	datastore(r, "ds", content.DsHTTP, "files.lab")
	rig.Complete(r, content.Datastores)
	rig.Complete(r, content.Downloads)
	rig.Complete(r, web.Partials)
	return r
}

func order1(r *rig.Rig, refs uint) {
	rig.Put(r, content.Downloads, content.DownloaderConfig{ImageSha256: sha,
		DatastoreIDList: []string{"ds"}, Name: "dir/disk.raw?v=1/2", Target: target,
		Size: 1000, RefCount: refs})
}

func status(t *testing.T, r *rig.Rig) content.DownloaderStatus {
	t.Helper()
	st := rig.Get(r, content.DownloadStatuses, sha)
	if st == nil {
		t.Fatal("no status\n" + r.Dump())
	}
	return *st
}

// fetch is the transfer that runs.
func fetch(t *testing.T, r *rig.Rig) web.FetchReq {
	t.Helper()
	calls := rig.Calls(r, web.Fetch)
	if len(calls) != 1 {
		t.Fatalf("%d transfers run, want one\n%s", len(calls), r.Dump())
	}
	return calls[0].Req
}

// sent is the exchange that runs.
func sent(t *testing.T, r *rig.Rig) web.SendReq {
	t.Helper()
	calls := rig.Calls(r, web.Send)
	if len(calls) != 1 {
		t.Fatalf("%d exchanges run, want one\n%s", len(calls), r.Dump())
	}
	return calls[0].Req
}

func have(r *rig.Rig, n, size int64) {
	rig.Put(r, web.Partials, web.PartialSeen{Target: target, Have: n, Size: size, Whole: n == size})
}

func refused(text string) agent.Fault {
	return agent.Fault{Code: web.FaultConnRefused, Text: text, Retry: true}
}

func mustContain(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s: %q lacks %q", what, text, p)
		}
	}
}
