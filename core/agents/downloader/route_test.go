package downloader

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
)

func TestEveryAddressAndDatastoreInOrder(t *testing.T) {
	r := bench(t)
	datastore(r, "ds2", content.DsHTTPS, "backup.lab")
	items(r, config.Value{Key: config.DownloadMaxCost, Value: "9"})
	app := port("eth2", 0, "10.0.2.2")
	app.IsMgmt = false
	ports(r, port("eth1", 7, "10.0.1.2"), app, port("eth0", 0, "10.0.0.2", "10.0.0.3"))
	rig.Put(r, content.Downloads, content.DownloaderConfig{ImageSha256: sha,
		DatastoreIDList: []string{"ds", "none", "ds2"}, Name: "x", Target: target, RefCount: 1})
	var got []string
	for range 6 {
		r.Step()
		req := fetch(t, r)
		got = append(got, req.URL+" "+req.Via.IfName+" "+req.Via.Source.String())
		rig.Fail(r, web.Fetch, sha, refused("no"))
	}
	want := []string{
		"http://files.lab/x eth0 10.0.0.2", "http://files.lab/x eth0 10.0.0.3",
		"http://files.lab/x eth1 10.0.1.2",
		"https://backup.lab/x eth0 10.0.0.2", "https://backup.lab/x eth0 10.0.0.3",
		"https://backup.lab/x eth1 10.0.1.2",
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %q, want %q", i, got[i], want[i])
		}
	}
	r.Step()
	st := status(t, r)
	mustContain(t, "error", st.Error, "files.lab", "backup.lab", "datastore none does not exist")
	// A new address is tried at once, while the others wait.
	ports(r, port("eth0", 0, "10.0.0.9"))
	r.Step()
	if req := fetch(t, r); req.Via.Source.String() != "10.0.0.9" {
		t.Errorf("tries %+v", req.Via)
	}
}

func TestUnsupportedDatastore(t *testing.T) {
	r := bench(t)
	datastore(r, "ds", content.DsS3, "s3.lab")
	order1(r, 1)
	r.Step()
	r.Advance(2 * time.Hour)
	if st := status(t, r); st.Error != "datastore type DsS3 is not supported" || st.RetryCount != 0 {
		t.Errorf("status %+v", st)
	}
	datastore(r, "ds", content.DsHTTP, "files.lab")
	r.Step()
	fetch(t, r)
}

func TestProxyOfThePort(t *testing.T) {
	r := bench(t)
	p := port("eth0", 0, "10.0.0.2")
	p.Proxies = []network.ProxyEntry{{Type: network.ProxyHTTP, Server: "proxy.lab", Port: 3128}}
	p.ProxyCertPEM = []string{"CA of the proxy"}
	ports(r, p)
	rig.Put(r, content.Datastores, content.DatastoreConfig{UUID: "ds", DsType: content.DsHTTP,
		Fqdn: "http://files.lab", Dpath: "/a/", DsCertPEM: []string{"CA of the datastore"}})
	order1(r, 1)
	r.Step()
	req := fetch(t, r)
	if req.Via.Proxy != "http://proxy.lab:3128" || len(req.Via.RootPEM) != 2 ||
		req.URL != "http://files.lab/a/dir/disk.raw?v=1/2" {
		t.Errorf("fetches %+v", req)
	}
}

func TestCredentialsNeedTLS(t *testing.T) {
	r := bench(t)
	rig.Put(r, content.Datastores, content.DatastoreConfig{UUID: "ds", DsType: content.DsHTTP,
		Fqdn: "files.lab", Password: "secret/1"})
	order1(r, 1)
	r.Step()
	if req := fetch(t, r); req.Login != (web.Login{}) {
		t.Error("credentials go over plain HTTP")
	}
	rig.Fail(r, web.Fetch, sha, refused("no"))
	items(r, config.Value{Key: config.AllowInsecureAuth, Value: "true"})
	rig.Put(r, content.Datastores, content.DatastoreConfig{UUID: "ds", DsType: content.DsHTTP,
		Fqdn: "files.lab", Password: "secret/2"})
	r.Step()
	if req := fetch(t, r); req.Login.Secret != "secret/2" {
		t.Errorf("allowed, and it sends %+v", req.Login)
	}
}
