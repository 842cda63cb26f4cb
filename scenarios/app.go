package scenarios

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/lf-edge/eve-api/go/config"
)

// volumes are the keys of the volumes a device has.
func volumes(d *scenario.D) []string {
	var out []string
	for _, v := range scenario.Rows(d, volume.Statuses) {
		out = append(out, v.Key())
	}
	return out
}

var appRestart = scenario.New("app-restart", func(s *scenario.S) {
	d := running(s)
	before, had := d.App("web").BootTime, volumes(d)
	d.Apply(d.Config().RestartApp("web"))
	s.Eventually(func() any { return d.App("web").BootTime.After(before) }, 15*time.Minute).
		Should(BeTrue())
	s.Eventually(d.AppState("web"), 10*time.Minute).Should(Equal("RUNNING"))
	s.Eventually(d.Answers("web", 8080), 2*time.Minute).Should(BeTrue())
	if got := fmt.Sprint(volumes(d)); got != fmt.Sprint(had) {
		s.Fail("a restart changed volumes %v to %v", had, got)
	}
}, scenario.Covers("APP-5"), scenario.On(scenario.Virtual, scenario.Live), scenario.Needs("qemu"))

var appPurge = scenario.New("app-purge", func(s *scenario.S) {
	d := running(s)
	had := volumes(d)
	s.Publish("web", "2")
	d.Apply(d.Config().Image(fleet.Image{Name: "web2", Store: "registry", URL: "web:2"}).
		Volume(fleet.Volume{Name: "web", Image: "web2"}).PurgeApp("web"))
	s.Eventually(func() any { return strings.Join(volumes(d), " ") }, 20*time.Minute).
		ShouldNot(ContainSubstring(had[0]))
	s.Eventually(d.AppState("web"), 10*time.Minute).Should(Equal("RUNNING"))
	s.Eventually(d.Answers("web", 8080), 2*time.Minute).Should(BeTrue())
}, scenario.Covers("APP-7", "APP-8"))

// left counts what a device still has of applications.
func left(d *scenario.D) func() any {
	return func() any {
		return fmt.Sprintf("%d domains, %d networks of applications, %d volumes, %d content trees",
			len(scenario.Rows(d, domain.Statuses)), len(scenario.Rows(d, network.AppNetworkStatuses)),
			len(scenario.Rows(d, volume.Statuses)), len(scenario.Rows(d, content.TreeStatuses)))
	}
}

var appRemove = scenario.New("app-remove", func(s *scenario.S) {
	d := running(s)
	d.Apply(d.Config().RemoveApp("web").RemoveVolume("web").RemoveImage("web").RemoveNetwork("lan"))
	s.Eventually(left(d), 20*time.Minute).Should(Equal(
		"0 domains, 0 networks of applications, 0 volumes, 0 content trees"))
	s.Eventually(d.Reported("web"), 5*time.Minute).Should(Equal("INVALID"))
}, scenario.Covers("APP-39", "APP-40", "API-41"),
	scenario.On(scenario.Virtual, scenario.Live), scenario.Needs("qemu"))

// file is an application that boots a disk image from an HTTP datastore.
func file(d *scenario.D, sha string, size int64) *fleet.Draft {
	return ports(d).
		HTTPStore("files", "http://"+scenario.Files).
		Image(fleet.Image{Name: "disk", Store: "files", URL: "images/disk.qcow2", SHA256: sha,
			Format: config.Format_QCOW2, MaxSize: uint64(size)}).
		Volume(fleet.Volume{Name: "disk", Image: "disk"}).
		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
		App(webApp("disk", "lan", 8080))
}

var wrongSha = scenario.New("wrong-sha", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	s.PublishFile("images/disk.qcow2", 4<<20)
	d.Apply(file(d, strings.Repeat("5a", 32), 64<<20))
	s.Eventually(d.AppError("disk"), 3*time.Hour).Should(And(ContainSubstring("computed"),
		ContainSubstring("configured")))
	s.Consistently(d.AppState("disk"), 2*time.Hour).ShouldNot(Equal("RUNNING"))
	if n := s.Downloads("images/disk.qcow2"); n < 1 || n > 6 {
		s.Fail("a file with the wrong hash was downloaded %d times, at most 6 are right", n)
	}
}, scenario.Covers("APP-17"))

var powerCutWhileDownloading = scenario.New("power-cut-while-downloading", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	const size = 32 << 20
	sha := s.PublishFile("images/disk.qcow2", size)
	s.Slow(d, "eth0", 1<<10) // 1 MB/s
	s.Slow(d, "eth1", 1<<10)
	d.Apply(file(d, sha, size))
	s.Eventually(d.Fetched, 30*time.Minute).Should(BeNumerically(">", size/3))
	d.PowerCut(10 * time.Second)
	s.Wait(time.Minute)
	s.Eventually(d.AppState("disk"), time.Hour).Should(Equal("RUNNING"))
	if n := s.Downloads("images/disk.qcow2"); n != 1 {
		s.Fail("the download began %d times at its first byte: it did not go on where it was", n)
	}
}, scenario.Covers("APP-18", "APP-13"))
