package scenarios

import (
	"fmt"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// patience is how long a step of a disturbed life may take: crashes and reboots come in between,
// and what failed is tried again after ten minutes.
const patience = time.Hour

// diskApp adds an application that boots a disk image from an HTTP datastore.
func diskApp(s *scenario.S, d *fleet.Draft, name string, size int64) *fleet.Draft {
	path := "images/" + name + ".qcow2"
	sha := s.PublishFile(path, size)
	return d.HTTPStore("files", "http://"+scenario.Files).
		Image(fleet.Image{Name: name, Store: "files", URL: path, SHA256: sha,
			MaxSize: uint64(size)}).
		Volume(fleet.Volume{Name: name, Image: name, Size: size}).
		App(fleet.App{Name: name, MemoryKB: 256 << 10, Volumes: []string{name},
			Interfaces: []fleet.Interface{{Network: "lan", Rules: []fleet.Rule{fleet.AllowAll()}}}})
}

// up waits until an application runs and is the only one of its kind.
func up(s *scenario.S, d *scenario.D, name string) {
	s.Eventually(d.AppState(name), patience).Should(Equal("RUNNING"))
}

// live takes a device through a life: two applications are installed, one is restarted and purged,
// the other removed. after is called behind each step.
func live(s *scenario.S, d *scenario.D, after func(step string)) {
	d.Onboard()
	d.Set(web(s, d))
	up(s, d, "web")
	after("install")
	d.Set(diskApp(s, d.Config(), "disk", 8<<20)) // later, so that its number does not depend on luck
	up(s, d, "disk")
	after("second install")
	booted := d.App("web").BootTime
	d.Set(d.Config().RestartApp("web"))
	s.Eventually(func() any {
		a := d.App("web")
		return a != nil && a.State.String() == "RUNNING" && a.BootTime.After(booted)
	}, patience).Should(BeTrue())
	after("restart")
	s.Publish("web", "2")
	d.Set(d.Config().Image(fleet.Image{Name: "web2", Store: "registry", URL: "web:2"}).
		Volume(fleet.Volume{Name: "web", Image: "web2"}).RemoveImage("web").PurgeApp("web"))
	s.Eventually(func() any { return fmt.Sprint(volumes(d)) }, patience).
		Should(And(ContainSubstring(d.Config().VolumeID("web")+"#1"),
			Not(ContainSubstring(d.Config().VolumeID("web")+"#0"))))
	up(s, d, "web")
	after("purge")
	d.Set(d.Config().RemoveApp("disk").RemoveVolume("disk").RemoveImage("disk"))
	s.Eventually(func() any { return d.App("disk") == nil && len(volumes(d)) == 1 }, patience).
		Should(BeTrue())
	after("remove")
	up(s, d, "web")
	s.Eventually(d.Answers("web", 8080), patience).Should(BeTrue())
	s.Wait(settle)
}

// once makes a device that fails the run the moment two guests of one application run.
func once(s *scenario.S) *scenario.D {
	var d *scenario.D
	d = s.Device("edge", scenario.Options(func(o *twin.DeviceOptions) {
		o.OnTurn = func(p *host.Proc, _ *host.Input, _ *host.Output) {
			if p.Name != "domainmgr" {
				return
			}
			for _, name := range []string{"web", "disk"} {
				if n := d.Guests(name); n > 1 {
					s.Fail("%d guests of application %s run at once", n, name)
				}
			}
		}
	}))
	return d
}

var lifeCrashes = scenario.New("life-crashes", func(s *scenario.S) {
	none := func(string) {}
	want := s.Reference(func(r *scenario.S) { live(r, r.Device("edge"), none) })
	d := once(s)
	d.Boot()
	s.Wait(time.Second)
	w := d.Twin().Device.World()
	for _, agent := range d.Agents() {
		for i := range 6 {
			at := s.Between(fmt.Sprintf("crash/%s/%d", agent, i), 0, 3*time.Minute)
			w.At(at, func() { d.Crash(agent) })
		}
	}
	live(s, d, none)
	if diff := scenario.Diff(want, s.State()); diff != "" {
		s.Fail("after the crashes the device is not as without them:\n%s", diff)
	}
}, scenario.Covers("APP-47"))

// identity is what an application is known by on its networks.
func identity(d *scenario.D, name string) string {
	n := scenario.Get(d, network.AppNetworkStatuses, d.Config().AppID(name))
	if n == nil {
		return ""
	}
	out := fmt.Sprintf("number %d", n.AppNum)
	for _, a := range n.AppNetAdapterList {
		out += fmt.Sprintf(", %s at %s", a.Mac, a.AllocatedIPv4Addr)
	}
	return out
}

// fetches counts the requests for the content of a blob.
func fetches(s *scenario.S, sha string) (n int) {
	for _, kind := range []string{"blobs", "manifests"} {
		q := s.Site().Requests(scenario.Registry, "/v2/web/"+kind+"/sha256:"+sha)
		n += q.Whole + q.Rest
	}
	return n
}

// loaded says which blobs are on a device's disk and how often they were asked for.
func loaded(s *scenario.S, d *scenario.D) (out string) {
	for _, sha := range disk.Keys(d.Twin().Board.Disk.Blobs) {
		out += fmt.Sprintf("%s asked for %d times; ", sha[:8], fetches(s, sha))
	}
	return out
}

// cuts takes the power away some times in the first minutes, and notes which verified blobs were on
// the disk then and how often they had been asked for.
func cuts(s *scenario.S, d *scenario.D, n int) (fetched map[string]int) {
	fetched = map[string]int{}
	t := d.Twin()
	for i := range n {
		key := fmt.Sprintf("cut/%d", i)
		at, off := s.Between(key, 0, 4*time.Minute), s.Between(key+"/off", 0, 20*time.Second)
		t.Device.World().At(at, func() {
			for _, sha := range disk.Keys(t.Board.Disk.Blobs) {
				if _, ok := fetched[sha]; !ok {
					fetched[sha] = fetches(s, sha)
				}
			}
			t.Reboot(off)
		})
	}
	return fetched
}

var lifePowerCuts = scenario.New("life-power-cuts", func(s *scenario.S) {
	d := once(s)
	d.Boot()
	fetched := cuts(s, d, 5)
	var uuid, known string
	live(s, d, func(step string) {
		if uuid == "" {
			uuid, known = d.UUID(), identity(d, "web")
		}
		if got := d.UUID(); got != uuid {
			s.Fail("after %s the device is called %s, not %s", step, got, uuid)
		}
	})
	if got := identity(d, "web"); got != known {
		s.Fail("the application had %s, now has %s", known, got)
	}
	for _, sha := range disk.Keys(fetched) {
		if n := fetches(s, sha); n != fetched[sha] {
			s.Fail("blob %s was verified and on the disk after %d requests; there were %d", sha,
				fetched[sha], n)
		}
	}
	if got := len(scenario.Rows(d, domain.Statuses)); got != 1 || d.Guests("web") != 1 {
		s.Fail("there are %d domains and %d guests, want one of each", got, d.Guests("web"))
	}
}, scenario.Covers("NET-24", "APP-13"))
