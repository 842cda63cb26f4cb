package scenarios

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// another adds an application on the network "lan" from the image "web" of the draft.
func another(d *fleet.Draft, name string, port uint16) *fleet.Draft {
	return d.Volume(fleet.Volume{Name: name, Image: "web"}).App(webApp(name, "lan", port))
}

var sharedImage = scenario.New("shared-image", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	// Two content trees of one image, one application of each.
	draft := web(s, d).Image(fleet.Image{Name: "again", Store: "registry", URL: "web:1"}).
		Volume(fleet.Volume{Name: "two", Image: "again"}).App(webApp("two", "lan", 8081))
	d.Apply(draft)
	up(s, d, "web")
	up(s, d, "two")
	once := func(when string) {
		for _, sha := range disk.Keys(d.Twin().Board.Disk.Blobs) {
			if n := fetches(s, sha); n != 1 {
				s.Fail("%s: blob %s was fetched %d times", when, sha, n)
			}
		}
	}
	once("installed")
	n := len(d.Twin().Board.Disk.Blobs)
	d.Apply(d.Config().RemoveApp("web").RemoveVolume("web").RemoveImage("web"))
	s.Wait(3 * time.Hour)
	up(s, d, "two")
	if got := len(d.Twin().Board.Disk.Blobs); got != n {
		s.Fail("%d blobs are left of %d that another image still has", got, n)
	}
	d.Apply(d.Config().PurgeApp("two"))
	up(s, d, "two")
	once("purged")
}, scenario.Covers("APP-16"))

var appReplace = scenario.New("app-replace", func(s *scenario.S) {
	d := s.Device("edge", small(96))
	d.Onboard()
	narrow := fleet.LocalNetwork{Name: "lan", Port: "uplink", Subnet: "10.1.0.0/24",
		RangeStart: "10.1.0.20", RangeEnd: "10.1.0.20"}
	d.Apply(web(s, d).LocalNetwork(narrow))
	up(s, d, "web")
	// There is no second address: the next one waits for it and starts by itself.
	d.Apply(another(d.Config(), "next", 8081))
	s.Eventually(d.AppError("next"), 5*time.Minute).Should(ContainSubstring("no free IP addresses"))
	s.Eventually(told(d, "next"), 5*time.Minute).Should(ContainSubstring("no free IP addresses"))
	d.Apply(d.Config().RemoveApp("web").RemoveVolume("web"))
	up(s, d, "next")
	s.Eventually(told(d, "next"), 5*time.Minute).Should(BeEmpty())
	if had := identity(d, "next"); !strings.Contains(had, "10.1.0.20") {
		s.Fail("the application has %s", had)
	}
	// In one configuration: one goes, another comes.
	for i := range 5 {
		old, name := fmt.Sprintf("app%d", i-1), fmt.Sprintf("app%d", i)
		if i == 0 {
			old = "next"
		}
		d.Apply(another(d.Config().RemoveApp(old).RemoveVolume(old), name, 8081))
		up(s, d, name)
		s.Eventually(d.Answers(name, 8081), time.Minute).Should(BeTrue())
	}
	// So too where the disk has room for the image and the volume of one alone.
	for i := range 3 {
		old, name := fmt.Sprintf("disk%d", i-1), fmt.Sprintf("disk%d", i)
		if i == 0 {
			old = "app4"
		}
		d.Apply(diskApp(s, d.Config().RemoveApp(old).RemoveVolume(old).RemoveImage(old), name, 36<<20))
		up(s, d, name)
		s.Eventually(told(d, name), 5*time.Minute).Should(BeEmpty())
		if had := identity(d, name); !strings.Contains(had, "10.1.0.20") {
			s.Fail("%s has %s", name, had)
		}
		if n := d.Twin().Board.Disk.Used(); n > 80<<20 {
			s.Fail("%d bytes are in use with %s", n, name)
		}
	}
}, scenario.Covers("APP-51", "NET-25"))

var tenApps = scenario.New("ten-apps", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	draft := web(s, d)
	for i := range 9 {
		another(draft, fmt.Sprintf("app%d", i), uint16(9000+i))
	}
	d.Apply(draft)
	all := func() {
		up(s, d, "web")
		for i := range 9 {
			name := fmt.Sprintf("app%d", i)
			up(s, d, name)
			s.Eventually(d.Answers(name, uint16(9000+i)), time.Minute).Should(BeTrue())
			if n := d.Guests(name); n != 1 {
				s.Fail("%d guests of %s", n, name)
			}
		}
	}
	all()
	had := map[string]string{}
	for i := range 9 {
		had[fmt.Sprintf("app%d", i)] = identity(d, fmt.Sprintf("app%d", i))
	}
	d.PowerCut(time.Second)
	s.Wait(time.Second)
	all()
	for i := range 9 {
		name := fmt.Sprintf("app%d", i)
		if now := identity(d, name); now != had[name] {
			s.Fail("%s had %s, now has %s", name, had[name], now)
		}
	}
}, scenario.Covers("NET-24"))

// portAddress returns a function for Eventually: the address of a port of the device.
func portAddress(d *scenario.D, ifname string) func() any {
	return func() any {
		if a, ok := d.Twin().Board.Nic.Address(ifname); ok {
			return a.String()
		}
		return ""
	}
}

// hairpin reports whether one application reaches another by a port of the device.
func hairpin(d *scenario.D, from, to string, port uint16) bool {
	src := d.App(from).AppNetAdapters[0].AllocatedIPv4Addr
	id, guestPort, ok := d.Twin().Board.Bridge.Mapped("eth0", "tcp", port, src)
	return src.IsValid() && ok && id == d.Config().AppID(to) && guestPort == scenario.WebPort
}

var liveEdits = scenario.New("live-edits", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	d.Apply(another(web(s, d), "other", 8090))
	up(s, d, "web")
	up(s, d, "other")
	booted, had := d.App("web").BootTime, identity(d, "web")
	edit := func(rules ...fleet.Rule) {
		a := webApp("web", "lan", 8080)
		a.Interfaces[0].Rules = rules
		d.Apply(d.Config().App(a))
	}
	edit(fleet.AllowAll(), fleet.MapPort("tcp", 8181, scenario.WebPort))
	s.Eventually(d.Answers("web", 8181), time.Minute).Should(BeTrue())
	s.Eventually(d.Answers("web", 8080), time.Minute).Should(BeFalse())
	s.Eventually(d.Answers("other", 8090), time.Minute).Should(BeTrue())

	// A port that another application has is refused, and the old ones go on or are told to be gone.
	edit(fleet.AllowAll(), fleet.MapPort("tcp", 8090, scenario.WebPort))
	refused := "port map of tcp port 8090 is used by application " + d.Config().AppID("other")
	s.Eventually(d.AppError("web"), time.Minute).Should(Equal(refused))
	s.Eventually(told(d, "web"), 2*time.Minute).Should(Equal(refused))
	s.Eventually(d.Answers("other", 8090), time.Minute).Should(BeTrue())
	s.Eventually(d.Answers("web", 8181), time.Minute).Should(BeTrue())
	edit(fleet.AllowAll(), fleet.MapPort("tcp", 8080, scenario.WebPort))
	s.Eventually(d.AppError("web"), 2*time.Minute).Should(BeEmpty())
	s.Eventually(told(d, "web"), 2*time.Minute).Should(BeEmpty())
	s.Eventually(d.Answers("web", 8080), time.Minute).Should(BeTrue())
	s.Eventually(d.Answers("web", 8181), time.Minute).Should(BeFalse())

	// The port gets another address, and the map goes with it.
	d.Apply(d.Config().MgmtPort("eth0", 0,
		fleet.Static("10.80.0.200", "10.80.0.0/24", "10.80.0.1", "10.81.0.53")))
	s.Eventually(portAddress(d, "eth0"), 5*time.Minute).Should(Equal("10.80.0.200"))
	s.Eventually(d.Answers("web", 8080), time.Minute).Should(BeTrue())
	if !hairpin(d, "other", "web", 8080) {
		s.Fail("the other application does not reach the mapped port")
	}

	// Another interface, or more memory, waits for a restart.
	a := webApp("web", "lan", 8080)
	a.MemoryKB = 512 << 10
	d.Apply(d.Config().App(a))
	s.Eventually(d.AppError("web"), time.Minute).Should(ContainSubstring("Need restart"))
	unharmed(s, d, booted, "edits")
	if now := identity(d, "web"); now != had {
		s.Fail("the application had %s, now has %s", had, now)
	}
	d.Apply(d.Config().RestartApp("web"))
	s.Eventually(func() any { return d.App("web").BootTime.After(booted) }, 10*time.Minute).
		Should(BeTrue())
	s.Eventually(d.AppError("web"), time.Minute).Should(BeEmpty())
	up(s, d, "web")
}, scenario.Covers("APP-10", "NET-32", "NET-33"))

var stagedAdapters = scenario.New("staged-adapters", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	d.Apply(another(web(s, d), "other", 8090).
		LocalNetwork(fleet.LocalNetwork{Name: "second", Port: "uplink", Subnet: "10.2.0.0/24"}))
	up(s, d, "web")
	up(s, d, "other")
	booted, had := d.App("web").BootTime, identity(d, "web")
	staged := webApp("web", "lan", 8080)
	staged.Interfaces = append(staged.Interfaces, fleet.Interface{Network: "second",
		Rules: []fleet.Rule{fleet.AllowAll(), fleet.MapPort("tcp", 8081, scenario.WebPort)}})
	d.Apply(d.Config().App(staged))
	s.Wait(2 * time.Minute)
	// Another application moves the network that the new interface is to join.
	mover := webApp("other", "lan", 8090)
	mover.Interfaces = append(mover.Interfaces, fleet.Interface{Network: "second"})
	d.Apply(d.Config().App(mover).RestartApp("other"))
	s.Wait(10 * time.Minute)
	unharmed(s, d, booted, "a staged interface")
	if now := identity(d, "web"); now != had {
		s.Fail("the application had %s, before its restart it has %s", had, now)
	}
	if d.Answers("web", 8081)().(bool) {
		s.Fail("a staged port map is in force")
	}
	shown := 0
	d.Record(func(r *fleet.Device) { shown = len(r.AppInfo(d.Config().AppID("web")).GetNetwork()) })
	if shown != 1 {
		s.Fail("the controller was told of %d interfaces", shown)
	}
	d.Apply(d.Config().RestartApp("web"))
	s.Eventually(func() any { return d.App("web").BootTime.After(booted) }, 10*time.Minute).
		Should(BeTrue())
	up(s, d, "web")
	s.Eventually(d.Answers("web", 8081), 2*time.Minute).Should(BeTrue())
	s.Eventually(d.Answers("web", 8080), 2*time.Minute).Should(BeTrue())
	if now := identity(d, "web"); !strings.HasPrefix(now, had+", ") {
		s.Fail("the application had %s, after its restart it has %s", had, now)
	}
}, scenario.Covers("NET-34"))
