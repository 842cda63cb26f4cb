package dryrun

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// summary is a report in few words: what has which state, and each error.
func summary(r *Report) string {
	var b strings.Builder
	for _, p := range r.Ports {
		fmt.Fprintf(&b, "port %s %s up=%v mgmt=%v addresses=%d\n", p.Label, p.Interface, p.Up, p.Mgmt,
			len(p.Addresses))
	}
	for _, p := range r.PortConfigs {
		fmt.Fprintf(&b, "dpc %s %s\n", p.Key, p.State)
	}
	for _, n := range r.NetworkInstances {
		fmt.Fprintf(&b, "instance %s %s %s\n", n.Name, n.Type, n.State)
	}
	for _, c := range r.Content {
		fmt.Fprintf(&b, "content %s %s\n", c.Name, c.State)
	}
	for _, v := range r.Volumes {
		fmt.Fprintf(&b, "volume %s %s\n", v.Name, v.State)
	}
	for _, a := range r.Applications {
		fmt.Fprintf(&b, "app %s %s %s\n", a.Name, a.State, strings.Join(a.Addresses, " "))
	}
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "%s %s/%s: %s\n", e.Severity, e.Agent, e.Object, e.Text)
	}
	for _, u := range r.UnknownFields {
		fmt.Fprintf(&b, "unknown %s\n", u)
	}
	for _, m := range r.MadeUp {
		fmt.Fprintf(&b, "made up %s\n", m)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	return b.String()
}

func good(name string) string { return filepath.Join("testdata", "good", name) }

// goods are good inputs with what a device comes to.
var goods = []struct {
	name string
	o    Options
	want string
}{
	{"nothing at all", Options{},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"port eth1 eth1 up=true mgmt=true addresses=1\n" +
			"dpc zedagent DPC_SUCCESS\n"},
	{"an empty configuration", Options{Config: good("nothing.json")},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"port eth1 eth1 up=true mgmt=true addresses=1\n" +
			"dpc zedagent DPC_FAIL\n" +
			"dpc lastresort DPC_SUCCESS\n" +
			"error nim/port configuration zedagent: no management interfaces\n" +
			"error zedagent/port configuration: No management interfaces\n" +
			"note the configuration names no ports, so there is no bootstrap configuration: " +
			"the device looks for a network by itself\n"},
	{"obsolete fields", Options{Config: good("obsolete.json")},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"instance inside local ONLINE\n" +
			"unknown lispInfo\n" +
			"unknown boxColour\n" +
			"unknown networks[0].ip.leaseColour\n"},
	{"wireless ports", Options{Config: good("wireless.json")},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"port wlan0 wlan0 up=false mgmt=true addresses=0\n" +
			"port wwan0  up=false mgmt=true addresses=0\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"error nim/port wlan0: port wlan0: Wi-Fi is not supported\n" +
			"error nim/port wwan0: port wwan0: cellular modems are not supported\n"},
	{"dangling references", Options{Config: good("dangling.json")},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"port eth1 eth1 up=false mgmt=true addresses=0\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"instance nowhere local ERROR\n" +
			"content no store INITIAL\n" +
			"volume no content INITIAL\n" +
			"app lost INITIAL \n" +
			"app half INITIAL \n" +
			"error nim/port eth1: Port eth1 is configured with the unknown network " +
			"6605d17b-3273-4108-8e6e-4965441ebe09\n" +
			"error volumemgr/content tree no store: datastore " +
			"8e6d22d4-4890-4e0d-a574-0d2e757f951b does not exist\n" +
			"error zedagent/application lost: interface \"i\": its network instance " +
			"9ca83da9-94e8-48b4-9ae8-3f188c5c6940 does not exist\n" +
			"error zedagent/port configuration: missing lower-layer adapter \"eth7\"\n" +
			"error zedagent/port configuration bootstrap: missing lower-layer adapter " +
			"\"eth7\"\n" +
			"error zedagent/port eth1: Port eth1 is configured with the unknown network " +
			"6605d17b-3273-4108-8e6e-4965441ebe09\n" +
			"error zedmanager/application lost: interface \"i\": its network instance " +
			"9ca83da9-94e8-48b4-9ae8-3f188c5c6940 does not exist\n" +
			"error zedrouter/network instance nowhere: no port is matching label 'eth9'\n"},
	{"datastores", Options{Config: good("datastores.json")},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"content ubuntu LOADED\n" +
			"content s3 DOWNLOADING\n" +
			"content nosha INITIAL\n" +
			"content query LOADED\n" +
			"content oci LOADED\n" +
			"volume disk CREATED_VOLUME\n" +
			"volume blank LOADED\n" +
			"app u LOADED \n" +
			"error downloader/blob bbbbbbbbbbbb: datastore type DsS3 is not supported\n" +
			"error volumemgr/blob bbbbbbbbbbbb: datastore type DsS3 is not supported\n" +
			"error volumemgr/content tree nosha: it has no sha256, which only a container " +
			"image may be without\n" +
			"error volumemgr/content tree s3: datastore type DsS3 is not supported\n" +
			"error volumemgr/volume blank: Remaining disk space 64423369854 volume needs " +
			"900000000000000\n" +
			"error zedagent/content tree nosha: it has no sha256, which only a container " +
			"image may be without\n" +
			"error zedmanager/application u: Remaining disk space 64423369854 volume needs " +
			"900000000000000\n" +
			"made up 192.0.2.7/z.img\n" +
			"made up files.example.net/pub/images/a/ubuntu.qcow2\n" +
			"made up " +
			"ghcr.io/org/img@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\n"},
	{"a model", Options{Model: good("model.json")},
		"port lan1 enp1s0 up=true mgmt=true addresses=1\n" +
			"port lan2 enp2s0 up=true mgmt=true addresses=1\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"unknown ioMemberList[4].sticker\n"},
	{"adapters with a model", Options{Model: good("model.json"), Config: good("adapters.json")},
		"port lan1 enp1s0 up=true mgmt=true addresses=1\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"content oci LOADED\n" +
			"volume v1 CREATED_VOLUME\n" +
			"volume v2 CREATED_VOLUME\n" +
			"volume v3 CREATED_VOLUME\n" +
			"volume v4 CREATED_VOLUME\n" +
			"volume v5 CREATED_VOLUME\n" +
			"app audio RUNNING \n" +
			"app serial RUNNING \n" +
			"app lacks INSTALLED \n" +
			"app port INSTALLED \n" +
			"app huge INSTALLED \n" +
			"error domainmgr/application lacks: unknown adapter HDMI9\n" +
			"error domainmgr/application port: adapter lan1 is (part of) a port that the host" +
			" uses\n" +
			"warning zedmanager/application huge: Remaining memory bytes 580911104 app " +
			"instance needs 54130638848\n" +
			"error zedmanager/application lacks: unknown adapter HDMI9\n" +
			"error zedmanager/application port: adapter lan1 is (part of) a port that the " +
			"host uses\n" +
			"unknown ioMemberList[4].sticker\n" +
			"made up ghcr.io/org/img:2\n"},
	{"static addresses", Options{Network: good("static/network.json"),
		Config: good("static/config.json")},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"port eth1 eth1 up=false mgmt=false addresses=0\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"error nim/port eth1: port eth1 has no carrier\n" +
			"note testdata/good/static/config-overrides/server: not used, the bundled " +
			"controller takes the place of yours\n"},
	{"static addresses by bootstrap", Options{Network: good("static/network.json"),
		Config:    good("static/config.json"),
		Overrides: good("static/config-overrides/GlobalConfig"),
		Bootstrap: good("static/config.json")},
		"port eth0 eth0 up=true mgmt=true addresses=1\n" +
			"port eth1 eth1 up=false mgmt=false addresses=0\n" +
			"dpc zedagent DPC_SUCCESS\n" +
			"error nim/port eth1: port eth1 has no carrier\n"},
}

func TestGoodInputSettles(t *testing.T) {
	for _, c := range goods {
		began := time.Now()
		exit, lines, r := outcome(t, c.o)
		quick(t, began, c.name)
		if exit != 0 {
			t.Errorf("%s: exit %d %q", c.name, exit, lines)
			continue
		}
		if got := summary(r); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
