package scenarios

import (
	"bytes"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// bootReason is why the device booted.
func bootReason(d *scenario.D) func() any {
	return func() any {
		if n := scenario.Get(d, node.NodeAgent, "nodeagent"); n != nil {
			return n.BootReason.String()
		}
		return ""
	}
}

var rebootCommand = scenario.New("reboot-command", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	boots := d.Twin().Boots()
	d.Apply(web(s, d).Reboot()) // the first counter a device ever sees is only stored
	up(s, d, "web")
	s.Wait(10 * time.Minute)
	if n := d.Twin().Boots(); n != boots {
		s.Fail("the first counter rebooted the device")
	}
	for i := range uint64(2) {
		asked := s.Now()
		d.Set(d.Config().Reboot())
		s.Eventually(func() any { return d.Twin().Boots() }, 10*time.Minute).Should(
			Equal(boots + i + 1))
		// Half a minute to tell everybody, the time that guests take, half a minute for the disk.
		if took := s.Now() - asked; took < time.Minute {
			s.Fail("the device rebooted %v after the command", took)
		}
		s.Eventually(bootReason(d), time.Minute).Should(Equal("BootReasonRebootCmd"))
		up(s, d, "web")
		s.Eventually(d.Answers("web", 8080), time.Minute).Should(BeTrue())
		// Power cuts do not repeat the command.
		d.PowerCut(s.Between("off", 0, 5*time.Second))
		s.Wait(15 * time.Minute)
		boots++
		if n := d.Twin().Boots(); n != boots+i+1 {
			s.Fail("%d boots, want %d: the command was carried out again", n, boots+i+1)
		}
	}
	s.Eventually(func() any {
		var n uint32
		d.Record(func(r *fleet.Device) { n = r.DeviceInfo().GetRebootConfigCounter() })
		return n
	}, 5*time.Minute).Should(Equal(uint32(3)))
}, scenario.Covers("API-21", "DEV-36"))

// bootOffline has a device with an application come back after off where nobody reaches the
// controller: it is who it was and runs what it had, from the saved configuration.
func bootOffline(s *scenario.S, d *scenario.D, off time.Duration) {
	uuid, had := d.UUID(), identity(d, "web")
	d.Twin().World.SetServer(world.ControllerLabel, world.Silent)
	d.PowerCut(off)
	s.Wait(off + time.Second)
	s.Eventually(func() any { return d.UUID() }, time.Minute).Should(Equal(uuid))
	s.Eventually(d.AppState("web"), 15*time.Minute).Should(Equal("RUNNING"))
	s.Eventually(d.Answers("web", 8080), time.Minute).Should(BeTrue())
	if z := zedagent(d); z.ConfigGetStatus != node.ConfigGetReadSaved {
		s.Fail("the application runs, but not from the saved configuration: %+v", z)
	}
	if now := identity(d, "web"); now != had {
		s.Fail("the application had %s, now has %s", had, now)
	}
}

// reach gives a device that booted offline its controller back, which changes nothing of what runs.
func reach(s *scenario.S, d *scenario.D, booted time.Time) {
	d.Twin().World.SetServer(world.ControllerLabel, world.Up)
	s.Eventually(func() any { return zedagent(d).ConfigGetStatus }, 30*time.Minute).Should(
		Equal(node.ConfigGetSuccess))
	unharmed(s, d, booted, "the controller is back")
}

var offlineBoot = scenario.New("offline-boot", func(s *scenario.S) {
	d := running(s)
	bootOffline(s, d, 5*time.Second)
	booted := d.App("web").BootTime
	s.Wait(6 * time.Hour)
	unharmed(s, d, booted, "six hours without the controller")
	reach(s, d, booted)
	s.Eventually(d.Reported("web"), 10*time.Minute).Should(Equal("RUNNING"))
}, scenario.Covers("APP-34"), scenario.Slow())

// noClock is a device without a clock of its own: it wakes up in 1970.
var noClock = scenario.Options(func(o *twin.DeviceOptions) { o.NoRTC = true })

var wrongClock = scenario.New("wrong-clock", func(s *scenario.S) {
	d := s.Device("edge", noClock)
	d.Boot()
	t := d.Twin()
	t.World.SetServer(twin.Server, world.Up)
	s.Eventually(func() any { return d.UUID() }, 10*time.Minute).ShouldNot(BeEmpty())
	d.Apply(web(s, d))
	up(s, d, "web")
	d.PowerCut(time.Second)
	s.Wait(time.Second)
	up(s, d, "web")
	s.Eventually(d.Reported("web"), 10*time.Minute).Should(Equal("RUNNING"))
	booted := d.App("web").BootTime
	for i, jump := range []time.Duration{-48 * time.Hour, 24 * time.Hour, 0} {
		t.SetClock(jump)
		s.Wait(20 * time.Minute)
		unharmed(s, d, booted, "a clock that jumps")
		t.SetClock(0)
		d.Apply(d.Config().Item("timer.metric.interval", []string{"61", "62", "63"}[i]))
	}
})

var damagedFiles = scenario.New("damaged-files", func(s *scenario.S) {
	d := running(s)
	s.Wait(settle)
	t := d.Twin()
	t.World.SetServer(world.ControllerLabel, world.Silent)
	for _, name := range []string{"controllercerts", "lastconfig"} {
		path := "/persist/checkpoint/" + name
		good := t.Board.Disk.Files[path].Data
		t.Device.Cut()
		bad := bytes.Clone(good)
		bad[len(bad)/2] ^= 8
		t.Board.Disk.Put(path, bad)
		s.Must(t.Boot())
		s.Eventually(d.AppState("web"), 15*time.Minute).Should(Equal("RUNNING"))
		s.Eventually(func() any { return string(t.Board.Disk.Files[path].Data) == string(good) },
			15*time.Minute).Should(BeTrue())
	}
	t.World.SetServer(world.ControllerLabel, world.Up)
	s.Eventually(func() any { return zedagent(d).ConfigGetStatus }, 30*time.Minute).Should(
		Equal(node.ConfigGetSuccess))
}, scenario.Covers("API-7"))
