package scenarios

import (
	"fmt"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// standardSpan is how long faults may act in the standard scenario, and converge how long the
// device has then to become what it should be and to say so.
const (
	standardSpan = 30 * time.Minute
	converge     = 30 * time.Minute
)

// Parts of the standard scenario: the second interface of the device, and deeds.
const (
	partSecond  = "second interface"
	partDisk    = "second application"
	partRestart = "restart"
	partPurge   = "purge"
	partStatic  = "static address"
	partRemap   = "another port"
	partReboot  = "reboot"
	partRenew   = "second purge"
	partPorts   = "last ports"
	partLast    = "last restart"
)

// deed is what the owner of a device wants of it at a time.
type deed struct {
	at   time.Duration
	part string // of the scenario; empty: it cannot be left out
	do   func(s *scenario.S, d *scenario.D) *fleet.Draft
}

// deeds are a device's life: each is told to the controller at its time, whatever the device is at.
func deeds() []deed {
	home := fleet.Static("10.80.0.5", "10.80.0.0/24", "10.80.0.1", "10.81.0.53")
	return []deed{
		{0, "", func(s *scenario.S, d *scenario.D) *fleet.Draft { // the first counter is only stored
			draft := web(s, d).Item("timer.metric.interval", "300").Reboot()
			if !s.Has(partSecond) {
				draft = draft.RemovePort("eth1")
			}
			return draft
		}},
		{4 * time.Minute, partDisk, func(s *scenario.S, d *scenario.D) *fleet.Draft {
			return diskApp(s, d.Config(), "disk", 1<<20)
		}},
		{8 * time.Minute, partRestart, func(_ *scenario.S, d *scenario.D) *fleet.Draft {
			return d.Config().RestartApp("web")
		}},
		{11 * time.Minute, partPurge, func(s *scenario.S, d *scenario.D) *fleet.Draft {
			s.Publish("web", "2")
			return d.Config().Image(fleet.Image{Name: "web2", Store: "registry", URL: "web:2"}).
				Volume(fleet.Volume{Name: "web", Image: "web2"}).RemoveImage("web").PurgeApp("web")
		}},
		{15 * time.Minute, partStatic, func(_ *scenario.S, d *scenario.D) *fleet.Draft {
			return d.Config().MgmtPort("eth0", 0, home)
		}},
		{18 * time.Minute, partRemap, func(_ *scenario.S, d *scenario.D) *fleet.Draft {
			return d.Config().App(webApp("web", "lan", 8081)).Item("timer.port.testinterval", "360")
		}},
		{21 * time.Minute, partReboot, func(_ *scenario.S, d *scenario.D) *fleet.Draft {
			return d.Config().Reboot()
		}},
		{23 * time.Minute, partRenew, func(s *scenario.S, d *scenario.D) *fleet.Draft {
			if !s.Has(partDisk) {
				return d.Config()
			}
			return d.Config().PurgeApp("disk")
		}},
		{27 * time.Minute, partPorts, func(s *scenario.S, d *scenario.D) *fleet.Draft {
			draft := d.Config().MgmtPort("eth0", 0).Item("timer.metric.interval", "240")
			if s.Has(partSecond) {
				draft = draft.MgmtPort("eth1", 2)
			}
			return draft
		}},
		// Whoever loses the last word of this has nothing more to say that would hide it.
		{29 * time.Minute, partLast, func(_ *scenario.S, d *scenario.D) *fleet.Draft {
			return d.Config().RestartApp("web")
		}},
	}
}

// standard is a life that everything may happen in: it ends with a device that is what it should be
// and has said so.
var standard = scenario.New("standard", func(s *scenario.S) {
	nics := scenario.NICs(2)
	if !s.Has(partSecond) {
		nics = scenario.NICs(1)
	}
	d := s.Device("edge", nics)
	d.Boot()
	s.Eventually(func() any { return d.Known() }, standardSpan+converge).Should(BeTrue())
	version, boots := "", d.Twin().Boots()
	for _, x := range deeds() {
		if x.part != "" && !s.Has(x.part) {
			continue
		}
		s.WaitUntil(x.at)
		version = d.Set(x.do(s, d))
	}
	healed := max(standardSpan, s.Healed())
	s.WaitUntil(healed)
	within := max(0, healed+converge-s.Now())
	s.Eventually(seldom(s, func() any { return missing(s, d, version) }), within).Should(BeEmpty())
	if n := d.Twin().Boots() - boots; s.Healed() == 0 && n != asked(s) {
		s.Fail("the device booted %d times, asked for %d", n, asked(s))
	}
}, scenario.UnderFaults(standardSpan), scenario.Exhausts(), scenario.Parts(partSecond, partDisk,
	partRestart, partPurge, partStatic, partRemap, partReboot, partRenew, partPorts, partLast))

// asked is how often the device is asked to boot.
func asked(s *scenario.S) uint64 {
	if s.Has(partReboot) {
		return 1
	}
	return 0
}

// seldom asks every five seconds of device time: what is asked takes longer than a step.
func seldom(s *scenario.S, f func() any) func() any {
	var last any
	next := time.Duration(0)
	return func() any {
		if s.Now() >= next {
			last, next = f(), s.Now()+5*time.Second
		}
		return last
	}
}

// missing is the first thing that is not as the newest configuration wants it, on the device or in
// what the controller was told of it; empty if all is.
func missing(s *scenario.S, d *scenario.D, version string) string {
	if !d.Known() || d.UUID() == "" {
		return "the device is off or does not know who it is"
	}
	if got := d.ConfigVersion(); got != version {
		return fmt.Sprintf("configuration %s is in force, not %s", got, version)
	}
	if text := anyError(d)(); text != "" {
		return fmt.Sprintf("there are errors: %v", text)
	}
	if at, state := dpcIndex(d)(), dpcState(d)(); at != 0 || state != "DPC_SUCCESS" {
		return fmt.Sprintf("port configuration %v is in use, and is %v", at, state)
	}
	apps, disks := []string{"web"}, []string{d.Config().VolumeID("web") + "#0"}
	port, other := uint16(8080), uint16(8081)
	if s.Has(partPurge) {
		disks[0] = d.Config().VolumeID("web") + "#1"
	}
	if s.Has(partDisk) {
		generation := "#0"
		if s.Has(partRenew) {
			generation = "#1"
		}
		apps, disks = append(apps, "disk"), append(disks, d.Config().VolumeID("disk")+generation)
	}
	if s.Has(partRemap) {
		port, other = other, port
	}
	for _, name := range apps {
		if state, n := d.AppState(name)(), d.Guests(name); state != "RUNNING" || n != 1 {
			return fmt.Sprintf("application %s is %v, with %d guests", name, state, n)
		}
	}
	if got := volumes(d); !sameSet(got, disks) {
		return fmt.Sprintf("volumes %v, not %v", got, disks)
	}
	if !d.Answers("web", port)().(bool) || d.Answers("web", other)().(bool) {
		return fmt.Sprintf("the application does not answer on port %d alone", port)
	}
	return untold(d, asked(s)+1, len(apps))
}

func sameSet(a, b []string) bool {
	ok, err := ConsistOf(a).Match(b)
	return ok && err == nil
}

// untold is the first thing that the controller was not told, or not at last, of a device that was
// asked to reboot by a counter and has so many applications.
func untold(d *scenario.D, reboots uint64, apps int) (out string) {
	check := func(what, id string, told, is any) {
		if out == "" && fmt.Sprint(told) != fmt.Sprint(is) {
			out = fmt.Sprintf("the controller holds %v of %s %s, which is %v", told, what, id, is)
		}
	}
	d.Record(func(r *fleet.Device) {
		for _, a := range scenario.Rows(d, app.Statuses) {
			check("application", a.Key(), r.AppInfo(a.Key()).GetState(), a.State)
			check("errors of application", a.Key(), len(r.AppInfo(a.Key()).GetAppErr()), 0)
		}
		for _, v := range scenario.Rows(d, volume.Statuses) {
			told := r.VolumeInfo(v.VolumeID)
			check("volume", v.Key(), told.GetState(), v.State)
			check("generation of volume", v.Key(), told.GetGenerationCount(), v.GenerationCounter)
		}
		for _, c := range scenario.Rows(d, content.TreeStatuses) {
			check("content", c.Key(), r.ContentInfo(c.Key()).GetState(), "DELIVERED")
		}
		for _, n := range scenario.Rows(d, network.InstanceStatus) {
			check("network", n.Key(), r.NetworkInfo(n.Key()).GetActivated(), n.Activated)
		}
		i := r.DeviceInfo()
		check("device", "reboot counter", i.GetRebootConfigCounter(), reboots)
		check("device", "applications", len(i.GetAppInstances()), apps)
		check("device", "configuration's error", reportedError(d)(), "")
	})
	return out
}
