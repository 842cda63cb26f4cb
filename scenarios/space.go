package scenarios

import (
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/controllersim/fleet"
	deviceweb "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// told returns a function for Eventually: the errors of an application that the controller holds.
func told(d *scenario.D, name string) func() any {
	return func() any {
		text := ""
		d.Record(func(r *fleet.Device) {
			for _, e := range r.AppInfo(d.Config().AppID(name)).GetAppErr() {
				text += e.GetDescription()
			}
		})
		return text
	}
}

// volumeError returns a function for Eventually: the error of a volume on the device, and the one
// that the controller holds.
func volumeError(d *scenario.D, name string) func() any {
	return func() any {
		text := ""
		for _, v := range scenario.Rows(d, volume.Statuses) {
			if v.VolumeID == d.Config().VolumeID(name) && v.HasError() {
				text = v.Error
			}
		}
		d.Record(func(r *fleet.Device) {
			held := r.VolumeInfo(d.Config().VolumeID(name)).GetVolumeErr().GetDescription()
			if held != text {
				text = "the device says " + text + ", the controller holds " + held
			}
		})
		return text
	}
}

// small gives a device a disk of so many MiB, of which the system keeps 16.
func small(mib int64) scenario.DeviceOption {
	return scenario.Options(func(o *twin.DeviceOptions) { o.Disk = disk.New(mib<<20, 16<<20) })
}

var fullDisk = scenario.New("full-disk", func(s *scenario.S) {
	d := s.Device("edge", small(96))
	d.Onboard()
	lan := ports(d).LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"})
	d.Apply(diskApp(s, lan, "one", 24<<20))
	up(s, d, "one")

	// 80 MiB are for applications; blob and volume of the first take 24 each, the blob of the second
	// 20 more, so there is no place for its volume.
	d.Apply(diskApp(s, d.Config(), "two", 20<<20))
	s.Eventually(volumeError(d, "two"), 10*time.Minute).Should(MatchRegexp(
		`^Remaining disk space \d+ volume needs 20971520$`))
	s.Eventually(d.AppError("two"), time.Minute).Should(ContainSubstring("Remaining disk space"))
	s.Eventually(told(d, "two"), 2*time.Minute).Should(ContainSubstring("Remaining disk space"))
	s.Consistently(d.AppState("one"), time.Hour).Should(Equal("RUNNING"))

	// The third does not even fit as a download.
	d.Apply(diskApp(s, d.Config(), "three", 16<<20))
	s.Eventually(d.AppError("three"), 10*time.Minute).Should(MatchRegexp(
		`Remaining disk space \d+ blob needs 16777216`))
	s.Eventually(told(d, "three"), 2*time.Minute).Should(ContainSubstring("Remaining disk space"))

	d.Apply(d.Config().RemoveApp("one").RemoveVolume("one").RemoveImage("one"))
	up(s, d, "two")
	s.Eventually(volumeError(d, "two"), 10*time.Minute).Should(Equal(""))
	s.Eventually(told(d, "two"), 10*time.Minute).Should(Equal(""))
	d.Apply(d.Config().RemoveApp("two").RemoveVolume("two").RemoveImage("two"))
	up(s, d, "three")
	s.Eventually(told(d, "three"), 10*time.Minute).Should(Equal(""))
}, scenario.Covers("APP-22"))

var diskFullInDownload = scenario.New("disk-full-in-download", func(s *scenario.S) {
	d := s.Device("edge", small(64))
	d.Onboard()
	lan := ports(d).LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"})
	// The configuration does not say how large the file is, so it is found out on the way.
	d.Apply(diskApp(s, lan, "big", 80<<20).Item("timer.download.retry", "60"))
	d.Apply(d.Config().Image(fleet.Image{Name: "big", Store: "files", URL: "images/big.qcow2",
		SHA256: s.PublishFile("images/big.qcow2", 80<<20)}))
	s.Eventually(d.AppError("big"), 30*time.Minute).Should(Or(ContainSubstring("no space left"),
		ContainSubstring("Remaining disk space")))
	s.Eventually(told(d, "big"), 2*time.Minute).ShouldNot(BeEmpty())
	d.Apply(diskApp(s, d.Config().RemoveApp("big").RemoveVolume("big").RemoveImage("big"), "small",
		4<<20))
	up(s, d, "small")
	s.Eventually(func() any { return len(scenario.Rows(d, deviceweb.Partials)) }, 10*time.Minute).
		Should(Equal(0))
})

var downloadCut = scenario.New("download-cut", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	const size = 1 << 20
	path := "/images/disk.qcow2"
	sha := s.PublishFile(path[1:], size)
	// The server ends the connection at these bytes, counted from where each request began: behind
	// the first, at places of the seed's choice, before the last, and when all is said.
	left := int64(size - 1)
	at := []int64{1}
	for i := range 5 {
		n := 1 + int64(s.Draw("cut/"+string(rune('a'+i)))%uint64(left/2))
		at, left = append(at, n), left-n
	}
	at = append(at, left-1, 1)
	s.Site().Drop(scenario.Files, path, at...)
	d.Apply(file(d, sha, size).Item("timer.download.retry", "60"))
	up(s, d, "disk")
	if n := s.Downloads(path[1:]); n != 1 {
		s.Fail("the download began %d times at its first byte: it did not go on where it was", n)
	}

	// What is here of a download is damaged; the hash says so, and all of it comes anew.
	second := "/images/second.qcow2"
	s.Site().Drop(scenario.Files, second, size/2, 0, 0, 0)
	d.Apply(diskApp(s, d.Config(), "second", 2*size))
	s.Eventually(d.Fetched, 10*time.Minute).Should(BeNumerically("==", size/2))
	for _, p := range d.Twin().Board.Disk.Partials { //order: there is one
		p.Data[1000] ^= 1
	}
	up(s, d, "second")
	if n := s.Downloads(second[1:]); n != 2 {
		s.Fail("a damaged download came %d times from its first byte, want 2", n)
	}
}, scenario.Covers("APP-18"))

var cableInDownload = scenario.New("cable-in-download", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	const size = 32 << 20
	sha := s.PublishFile("images/disk.qcow2", size)
	s.Slow(d, "eth0", 1<<10)
	s.Slow(d, "eth1", 1<<10)
	d.Apply(file(d, sha, size).Item("timer.download.stalled", "20").
		Item("network.download.max.cost", "1"))
	s.Eventually(d.Fetched, 30*time.Minute).Should(BeNumerically(">", size/8))
	s.Cut(d, "eth0")
	s.Eventually(d.AppState("disk"), time.Hour).Should(Equal("RUNNING"))
	if n := s.Downloads("images/disk.qcow2"); n != 1 {
		s.Fail("the download began %d times at its first byte: it did not go on where it was", n)
	}
})
