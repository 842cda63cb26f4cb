package scenarios

import (
	"strings"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
	"github.com/lf-edge/eve-api/go/info"
	"google.golang.org/protobuf/proto"
)

// configError returns a function for Eventually: what the device says is wrong with its
// configuration or with getting it.
func configError(d *scenario.D) func() any {
	return func() any {
		if z := scenario.Get(d, node.ZedAgent, "zedagent"); z != nil {
			return z.Error
		}
		return ""
	}
}

// reportedError returns a function for Eventually: what the controller was told of that.
func reportedError(d *scenario.D) func() any {
	return func() any {
		text := ""
		d.Record(func(r *fleet.Device) {
			text = r.DeviceInfo().GetConfigItemStatus().GetConfigItems()["config"].GetError()
		})
		return text
	}
}

// anyError returns a function for Eventually: all errors that the device shows, of its
// configuration and of what is made of it.
func anyError(d *scenario.D) func() any {
	return func() any {
		out := configError(d)().(string)
		for _, a := range scenario.Rows(d, app.Statuses) {
			out += a.Error
		}
		for _, v := range scenario.Rows(d, volume.Statuses) {
			out += v.Error
		}
		for _, c := range scenario.Rows(d, content.TreeStatuses) {
			out += c.Error
		}
		for _, n := range scenario.Rows(d, network.InstanceStatus) {
			out += n.NetworkErr.Error
		}
		return out
	}
}

// anyReported returns a function for Eventually: all errors that the controller holds.
func anyReported(d *scenario.D) func() any {
	return func() any {
		out := reportedError(d)().(string)
		d.Record(func(r *fleet.Device) {
			for _, m := range r.LastInfos(info.ZInfoTypes_ZiApp) {
				for _, e := range m.GetAinfo().GetAppErr() {
					out += e.GetDescription()
				}
			}
			for _, m := range r.LastInfos(info.ZInfoTypes_ZiVolume) {
				out += m.GetVinfo().GetVolumeErr().GetDescription()
			}
			for _, m := range r.LastInfos(info.ZInfoTypes_ZiContentTree) {
				out += m.GetCinfo().GetErr().GetDescription()
			}
			for _, m := range r.LastInfos(info.ZInfoTypes_ZiNetworkInstance) {
				for _, e := range m.GetNiinfo().GetNetworkErr() {
					out += e.GetDescription()
				}
			}
		})
		return out
	}
}

// unharmed fails the run if the application was stopped or started anew.
func unharmed(s *scenario.S, d *scenario.D, booted time.Time, what string) {
	a := d.App("web")
	if a == nil || a.State.String() != "RUNNING" || !a.BootTime.Equal(booted) || d.Guests("web") != 1 {
		s.Fail("%s: the application ran since %v, now it is %+v", what, booted, a)
	}
}

// brokenAnswers are answers of the controller that a device must not take.
var brokenAnswers = []controllersim.Fault{
	{Name: "truncated", Kind: controllersim.FaultTruncate},
	{Name: "unknown signer", Kind: controllersim.FaultWrongSigner},
	{Name: "bad signature", Kind: controllersim.FaultBadSignature},
	{Name: "flipped bit", Kind: controllersim.FaultCorrupt},
	{Name: "content type", Kind: controllersim.FaultContentType, ContentType: "text/html"},
	{Name: "no content type", Kind: controllersim.FaultContentType},
	{Name: "no body", Kind: controllersim.FaultEmpty},
	{Name: "endless", Kind: controllersim.FaultOversized, Bytes: 11 << 20},
	{Name: "teapot", Kind: controllersim.FaultStatus, Status: 418},
}

var badAnswers = scenario.New("bad-answers", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	for _, f := range brokenAnswers {
		f.Endpoint = eveapi.Config
		s.Fault(f)
		d.Set(d.Config().Edit(func(c *config.EdgeDevConfig) { c.DeviceName = f.Name }))
		s.Eventually(configError(d), 3*time.Minute).ShouldNot(BeEmpty())
		s.Eventually(reportedError(d), 2*time.Minute).ShouldNot(BeEmpty())
		s.Wait(5 * time.Minute)
		unharmed(s, d, booted, f.Name)
		if name := scenario.Get(d, node.Info, "global").DeviceName; name == f.Name {
			s.Fail("%s: the configuration was taken", f.Name)
		}
		s.Heal(f.Name)
		s.Eventually(func() any { return scenario.Get(d, node.Info, "global").DeviceName },
			3*time.Minute).Should(Equal(f.Name))
		s.Eventually(configError(d), time.Minute).Should(BeEmpty())
		s.Eventually(reportedError(d), 2*time.Minute).Should(BeEmpty())
		unharmed(s, d, booted, f.Name+", healed")
	}
}, scenario.Covers("API-5", "API-17"))

// raw gives the device bytes as its configuration.
func raw(s *scenario.S, d *scenario.D, body []byte) {
	d.Record(func(r *fleet.Device) { r.SetRawConfig(body) })
}

var badConfigs = scenario.New("bad-configs", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	fetched := loaded(s, d)
	good, err := d.Config().Build()
	s.Must(err)
	whole := func(change func(*config.EdgeDevConfig)) []byte {
		c := proto.CloneOf(good)
		c.Id = &config.UUIDandVersion{Uuid: d.UUID(), Version: "bad"}
		change(c)
		b, err := eveapi.Marshal(c)
		s.Must(err)
		return b
	}
	for _, bad := range []struct {
		name string
		body []byte
	}{
		{"nothing", nil},
		{"noise", []byte("no protobuf at all, but text")},
		{"cut off", whole(func(*config.EdgeDevConfig) {})[:100]},
		{"another device's", whole(func(c *config.EdgeDevConfig) {
			c.Id.Uuid, c.Apps = "7f000001-0000-4000-8000-000000000001", nil
		})},
		{"unknown hardware", whole(func(c *config.EdgeDevConfig) {
			c.DeviceIoList = append(c.DeviceIoList, &config.PhysicalIO{Phylabel: "odd", Ptype: 999})
		})},
		{"hardware twice", whole(func(c *config.EdgeDevConfig) {
			c.DeviceIoList = append(c.DeviceIoList, c.DeviceIoList[1])
		})},
		{"application twice",
			whole(func(c *config.EdgeDevConfig) { c.Apps = append(c.Apps, c.Apps[0]) })},
		{"volume twice", whole(func(c *config.EdgeDevConfig) {
			c.Volumes = append(c.Volumes, c.Volumes[0])
		})},
		{"network twice", whole(func(c *config.EdgeDevConfig) {
			c.NetworkInstances = append(c.NetworkInstances, c.NetworkInstances[0])
		})},
		{"image twice", whole(func(c *config.EdgeDevConfig) {
			c.ContentInfo = append(c.ContentInfo, c.ContentInfo[0])
		})},
		{"no place", whole(func(c *config.EdgeDevConfig) {
			c.Datastores = append(c.Datastores, &config.DatastoreConfig{Id: "no UUID"})
		})},
	} {
		raw(s, d, bad.body)
		s.Eventually(anyError(d), 3*time.Minute).ShouldNot(BeEmpty())
		s.Eventually(anyReported(d), 2*time.Minute).ShouldNot(BeEmpty())
		s.Wait(5 * time.Minute)
		unharmed(s, d, booted, bad.name)
		d.Apply(d.Config())
		s.Eventually(anyError(d), 3*time.Minute).Should(BeEmpty())
		s.Eventually(anyReported(d), 2*time.Minute).Should(BeEmpty())
		unharmed(s, d, booted, bad.name+", corrected")
		if now := loaded(s, d); now != fetched {
			s.Fail("%s: content was downloaded anew: %s, now %s", bad.name, fetched, now)
		}
	}
})

// large adds n applications of 200 KB each that nobody can run.
func large(n int) func(*config.EdgeDevConfig) {
	data := strings.Repeat("evetwin ", 200<<10/8)
	return func(c *config.EdgeDevConfig) {
		c.Apps = c.Apps[:1]
		for i := range n {
			c.Apps = append(c.Apps, &config.AppInstanceConfig{Displayname: "large", Activate: true,
				UserData: data, Uuidandversion: &config.UUIDandVersion{Uuid: largeID(i), Version: "1"}})
		}
	}
}

func largeID(i int) string { return fleet.ID("large", "app", string(rune('a'+i))) }

var bigConfig = scenario.New("big-config", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	d.Set(d.Config().Edit(large(52))) // more than ten megabytes: nobody takes that
	s.Eventually(configError(d), 3*time.Minute).Should(ContainSubstring("TooLarge"))
	s.Eventually(reportedError(d), 2*time.Minute).Should(ContainSubstring("TooLarge"))
	s.Wait(5 * time.Minute)
	unharmed(s, d, booted, "ten megabytes")
	d.Apply(d.Config().Edit(large(20))) // each application says for itself what is wrong
	s.Eventually(func() any {
		n := 0
		d.Record(func(r *fleet.Device) {
			for i := range 20 {
				if len(r.AppInfo(largeID(i)).GetAppErr()) > 0 {
					n++
				}
			}
		})
		return n
	}, 10*time.Minute).Should(Equal(20))
	unharmed(s, d, booted, "four megabytes")
	d.Apply(d.Config().Edit(large(0)))
	s.Eventually(left(d), 5*time.Minute).Should(Equal(
		"1 domains, 1 networks of applications, 1 volumes, 1 content trees"))
	s.Eventually(configError(d), time.Minute).Should(BeEmpty())
	unharmed(s, d, booted, "small again")
})

var badObjects = scenario.New("bad-objects", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	instance := d.Config().InstanceID("odd")
	d.Apply(d.Config().
		App(fleet.App{Name: "ace", Volumes: []string{"web"}, Interfaces: []fleet.Interface{
			{Network: "lan", Rules: []fleet.Rule{fleet.MapPort("carrier-pigeon", 8081, 1)}}}}).
		App(fleet.App{Name: "lost", Volumes: []string{"web"}, Interfaces: []fleet.Interface{
			{Network: "lan", Addr: "192.0.2.300"}}}).
		Edit(func(c *config.EdgeDevConfig) {
			c.Apps[1].VolumeRefList = nil
			c.NetworkInstances = append(c.NetworkInstances, &config.NetworkInstanceConfig{
				Uuidandversion: &config.UUIDandVersion{Uuid: instance, Version: "1"},
				Displayname:    "odd", InstType: 99, IpType: 77, Activate: true,
				Ip: &evecommon.Ipspec{Subnet: "10.11.12.0/77"}})
		}))
	for _, name := range []string{"ace", "lost"} {
		s.Eventually(d.AppError(name), 5*time.Minute).ShouldNot(BeEmpty())
		s.Eventually(told(d, name), 5*time.Minute).ShouldNot(BeEmpty())
	}
	s.Eventually(func() any {
		if n := scenario.Get(d, network.InstanceStatus, instance); n != nil {
			return n.NetworkErr.Error
		}
		return ""
	}, 5*time.Minute).ShouldNot(BeEmpty())
	s.Eventually(func() any {
		text := ""
		d.Record(func(r *fleet.Device) {
			for _, e := range r.NetworkInfo(instance).GetNetworkErr() {
				text += e.GetDescription()
			}
		})
		return text
	}, 5*time.Minute).ShouldNot(BeEmpty())
	s.Wait(settle)
	unharmed(s, d, booted, "malformed objects")
	d.Apply(d.Config().RemoveApp("ace").RemoveApp("lost").RemoveNetwork("odd"))
	s.Eventually(left(d), 5*time.Minute).Should(Equal(
		"1 domains, 1 networks of applications, 1 volumes, 1 content trees"))
	unharmed(s, d, booted, "malformed objects gone")
}, scenario.Covers("API-53"))
