package nim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

// story is a device's first hour: last resort, a file, the controller's configuration, a broken
// one, its mend. It returns what is left at the end, but for times.
func story(t *testing.T, crashAt int) (string, int) {
	l := newLab(t, "eth0", "eth1")
	l.crashAt = crashAt
	l.file(overrideFile, testdata(t, "explicit-proxy.json"))
	l.settings(config.Value{Key: config.FallbackAnyEth, Value: "enabled"})
	l.run()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	l.answer = func(r web.SendReq) (int, *agent.Fault) {
		if r.Via.IfName == "eth1" {
			return refused(r)
		}
		return 200, nil
	}
	l.wish(dpc("zedagent", 2, "eth1"))
	l.run()
	l.pass(7 * minute)
	l.answer = func(web.SendReq) (int, *agent.Fault) { return 503, nil }
	l.pass(15 * minute)
	l.answer = func(web.SendReq) (int, *agent.Fault) { return 200, nil }
	l.pass(20 * minute)
	return l.left(), l.events
}

// left is every row that others see, without times.
func (l *lab) left() string {
	dns, dpcl := l.dns(), l.dpcl()
	dns.StateSince = 0
	for i := range dns.Ports {
		timeless(&dns.Ports[i].TestResults)
		dns.Ports[i].ErrorTime = time.Time{}
	}
	out := fmt.Sprintf("%+v\n", dns)
	for _, d := range dpcl.PortConfigList {
		timeless(&d.TestResults)
		d.LastIPAndDNS = time.Time{}
		for i := range d.Ports {
			timeless(&d.Ports[i].TestResults)
		}
		out += fmt.Sprintf("%d %+v\n", dpcl.CurrentIndex, d)
	}
	for _, f := range rig.Rows(l.Rig, network.PortConfigFiles) {
		out += fmt.Sprintf("%+v\n", f)
	}
	for _, i := range rig.Rows(l.Rig, nic.Items) {
		out += i.Item + "\n"
	}
	return out
}

// timeless keeps of results which way they point.
func timeless(r *network.TestResults) {
	works := r.Working()
	r.LastFailed, r.LastSucceeded = time.Time{}, time.Time{}
	if works {
		r.LastSucceeded = time.Unix(1, 0)
	}
}

func TestCrashAtEveryStepEndsAlike(t *testing.T) {
	want, events := story(t, 0)
	if events < 30 {
		t.Fatalf("the story has %d events only", events)
	}
	for at := 1; at <= events; at++ {
		if got, _ := story(t, at); got != want {
			t.Fatalf("crash at event %d of %d ends with\n%s\nwant\n%s", at, events, got, want)
		}
	}
}
