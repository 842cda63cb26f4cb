package scenarios

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/lf-edge/eve-api/go/info"
)

// zedagent is what the agent of the configuration is at.
func zedagent(d *scenario.D) node.ZedAgentStatus {
	if z := scenario.Get(d, node.ZedAgent, "zedagent"); z != nil {
		return *z
	}
	return node.ZedAgentStatus{}
}

// certFetches counts how often the device's zedagent asked for the controller's certificates.
func certFetches(d *scenario.D) (n int64) {
	m := scenario.Get(d, metrics.Maps.Of("zedagent"), entity.Global)
	for _, p := range m.Ports {
		for _, u := range p.URLs {
			if strings.HasSuffix(u.URL, "/certs") {
				n += u.TryMsgCount
			}
		}
	}
	return n
}

var configRotation = scenario.New("config-rotation", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	boots := d.Twin().Boots()
	for i := range 3 {
		n := certFetches(d)
		s.Controller(func(c *controllersim.Controller) { s.Must(c.Rotate()) })
		d.Apply(d.Config().Item("timer.metric.interval", fmt.Sprint(60+i)))
		s.Eventually(configError(d), 3*time.Minute).Should(BeEmpty())
		s.Wait(10 * time.Minute)
		// Once for an answer that nobody known has signed, once for the new hash in it.
		if got := certFetches(d) - n; got < 1 || got > 2 {
			s.Fail("rotation %d: the certificates were fetched %d times, want 1 or 2", i, got)
		}
	}
	unharmed(s, d, booted, "three rotations")
	if d.Twin().Boots() != boots {
		s.Fail("the device rebooted")
	}
	// What was saved under the last certificate opens after a boot without the controller.
	s.Fault(controllersim.Fault{Name: "gone", Kind: controllersim.FaultStatus, Status: 503})
	d.PowerCut(time.Second)
	s.Wait(time.Minute)
	s.Eventually(d.AppState("web"), 10*time.Minute).Should(Equal("RUNNING"))
	s.Heal("gone")
	s.Eventually(configError(d), 20*time.Minute).Should(BeEmpty())
}, scenario.Covers("API-8"))

// faultKinds are all ways in which the controller may misbehave.
var faultKinds = []controllersim.Fault{
	{Kind: controllersim.FaultStatus, Status: 500}, {Kind: controllersim.FaultStatus, Status: 400},
	{Kind: controllersim.FaultStatus, Status: 401}, {Kind: controllersim.FaultStatus, Status: 403},
	{Kind: controllersim.FaultStatus, Status: 404}, {Kind: controllersim.FaultStatus, Status: 429},
	{Kind: controllersim.FaultDelay, Delay: 40 * time.Second},
	{Kind: controllersim.FaultDelay, Delay: 10 * time.Minute},
	{Kind: controllersim.FaultContentType}, {Kind: controllersim.FaultWrongSigner},
	{Kind: controllersim.FaultBadSignature}, {Kind: controllersim.FaultCorrupt},
	{Kind: controllersim.FaultTruncate}, {Kind: controllersim.FaultEmpty},
	{Kind: controllersim.FaultNotModified}, {Kind: controllersim.FaultOversized, Bytes: 1000},
	{Kind: controllersim.FaultHash16}, {Kind: controllersim.FaultExpiredCert},
}

var controllerFaults = scenario.New("controller-faults", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	for i, f := range faultKinds {
		f.Name = fmt.Sprintf("%s %d", f.Kind, f.Status)
		s.Fault(f)
		d.Set(d.Config().Item("timer.metric.interval", fmt.Sprint(60+i)))
		s.Wait(s.Between("lasts/"+f.Name, 2*time.Minute, 20*time.Minute))
		unharmed(s, d, booted, f.Name)
		s.Heal(f.Name)
		// The next configuration gets through, and everything that waited is told.
		d.Set(d.Config().Item("timer.metric.interval", fmt.Sprint(90+i)))
		s.Eventually(func() any {
			return scenario.Get(d, config.Items, "global").Uint(config.MetricInterval)
		}, 20*time.Minute).Should(Equal(uint32(90 + i)))
		s.Eventually(configError(d), 20*time.Minute).Should(BeEmpty())
		s.Eventually(reportedError(d), 20*time.Minute).Should(BeEmpty())
		s.Eventually(d.Reported("web"), 20*time.Minute).Should(Equal("RUNNING"))
		unharmed(s, d, booted, f.Name+", healed")
	}
})

var epochChange = scenario.New("epoch-change", func(s *scenario.S) {
	d := running(s)
	s.Wait(settle)
	before := told4(d)
	s.Consistently(func() any { return told4(d) == before }, time.Hour).Should(BeTrue())
	d.Apply(d.Config().Epoch(7))
	for i, kind := range before {
		s.Eventually(func() any { return told4(d)[i] }, 3*time.Minute).Should(
			BeNumerically(">", kind))
	}
}, scenario.Covers("API-40"))

// told4 numbers the newest messages about application, volume, content and network that the
// controller got.
func told4(d *scenario.D) (n [4]uint64) {
	d.Record(func(r *fleet.Device) {
		for i, e := range []struct {
			kind info.ZInfoTypes
			id   string
		}{
			{info.ZInfoTypes_ZiApp, d.Config().AppID("web")},
			{info.ZInfoTypes_ZiVolume, d.Config().VolumeID("web")},
			{info.ZInfoTypes_ZiContentTree, d.Config().ImageID("web")},
			{info.ZInfoTypes_ZiNetworkInstance, d.Config().InstanceID("lan")},
		} {
			last, _ := r.Last(eveapi.Info, e.kind, e.id)
			n[i] = last.Seq
		}
	})
	return n
}

var maintenance = scenario.New("maintenance", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	d.Set(d.Config().Maintenance(true))
	state := func() any {
		var out string
		d.Record(func(r *fleet.Device) { out = r.DeviceInfo().GetState().String() })
		return out
	}
	s.Eventually(state, 5*time.Minute).Should(Equal("ZDEVICE_STATE_MAINTENANCE_MODE"))
	d.Set(d.Config().Item("timer.metric.interval", "77").RemoveApp("web"))
	s.Eventually(func() any {
		return scenario.Get(d, config.Items, "global").Uint(config.MetricInterval)
	}, 5*time.Minute).Should(Equal(uint32(77)))
	s.Wait(10 * time.Minute)
	unharmed(s, d, booted, "maintenance")
	d.Set(d.Config().Item("maintenance.mode", "disabled"))
	s.Eventually(func() any { return d.App("web") == nil }, 5*time.Minute).Should(BeTrue())
	s.Eventually(state, 5*time.Minute).Should(Equal("ZDEVICE_STATE_ONLINE"))
	if zedagent(d).MaintenanceMode {
		s.Fail("still in maintenance: %+v", zedagent(d))
	}
}, scenario.Covers("API-24", "API-25"))
