package source

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/led"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
	"github.com/evetwin/evetwin/core/topics/volume"
)

const demoUUID = "7f3a1c22-5b1e-4c0d-9a77-0d2f6c1e8b45"

// demoRoster is the agents and how many turns each has in ten seconds.
var demoRoster = []struct {
	name string
	pace float64
}{
	{"zedclient", 0}, {"nim", 6}, {"waitforaddr", 0}, {"ledmanager", 2}, {"zedagent", 9},
	{"zedagent-info", 7}, {"zedagent-metrics", 2}, {"downloader", 21}, {"verifier", 3},
	{"volumemgr", 24}, {"zedmanager", 19}, {"zedrouter", 5}, {"domainmgr", 6}, {"nodeagent", 2},
	{"tpmmgr", 0}, {"diag", 4},
}

// demoAgents is how the agents are.
func demoAgents(m moment) []Agent {
	var out []Agent
	for i, a := range demoRoster {
		// Turns come in bursts: many at boot, then some every few seconds.
		phase := float64(int(m.sec/2+float64(i)*0.7)) * 2
		x := Agent{Name: a.name, Starts: 1, Turns: uint64(8*m.grown(0, 5)) +
			uint64(a.pace*min(phase, m.sec)/10), Last: time.Duration(m.sec * 1e9)}
		if a.pace == 0 {
			x.Last = min(x.Last, 5*time.Second)
		}
		if a.name == "downloader" && m.sec >= 50 {
			x.Starts = 2
		}
		if a.name == "diag" && m.within(70, 80) {
			x.Health, x.Why = Slow, "took 131 turns in one instant"
		}
		out = append(out, x)
	}
	return out
}

// demoMarks are the milestones.
var demoMarks = []Mark{
	{Name: "address", At: 1500 * time.Millisecond, Text: "10.0.2.15 on eth0"},
	{Name: "onboarded", At: 4 * time.Second, Text: demoUUID},
	{Name: "configured", At: 5 * time.Second, Text: "version 17"},
	{Name: "running", At: 12 * time.Second, Text: "nginx"},
	{Name: "answered", At: 12750 * time.Millisecond, Text: "http://127.0.0.1:8080/"},
}

// demoLines are the log.
var demoLines = []struct {
	sec               float64
	from, about, text string
	level             agent.Level
}{
	{0, "host", "", "boot 1 of edge-7f: 16 agents, 12 parts", agent.Info},
	{0.5, "nim", "lastresort", "testing port configuration lastresort", agent.Info},
	{1.5, "nim", "eth0", "eth0 has 10.0.2.15/24 from DHCP", agent.Info},
	{2.5, "nim", "lastresort", "port configuration lastresort works", agent.Info},
	{3, "zedclient", "", "the controller's certificates are verified", agent.Info},
	{4, "zedclient", "", "onboarded as " + demoUUID, agent.Info},
	{5, "zedagent", "", "configuration 17 taken: 3 applications, 2 networks", agent.Info},
	{5.25, "zedagent", "", "29 objects parsed in 1.4 ms", agent.Debug},
	{6, "downloader", "nginx", "download of library/nginx:1.27 begins over eth0", agent.Info},
	{8, "downloader", "postgres", "download of library/postgres:17 begins over eth0", agent.Info},
	{9, "verifier", "nginx", "the hash of library/nginx:1.27 is right", agent.Info},
	{12, "domainmgr", "nginx", "nginx runs as domain 1", agent.Info},
	{17, "verifier", "検査カメラ", "the hash of camera-7.2.qcow2 is wrong: thrown away", agent.Err},
	{17.5, "volumemgr", "検査カメラ", "given up after 1 of 5 tries, next in 20 s", agent.Warn},
	{30, "nim", "eth1", "eth1 has no carrier", agent.Warn},
	{30.25, "zedrouter", "plant-floor", "uplink shopfloor of plant-floor is gone", agent.Warn},
	{38, "nim", "eth1", "eth1 has a carrier again", agent.Info},
	{50, "host", "downloader", "downloader broke in turn 131: index out of range", agent.Err},
	{50.25, "downloader", "postgres", "adopts the running download of library/postgres:17",
		agent.Info},
	{62, "verifier", "postgres", "the hash of library/postgres:17 is right", agent.Info},
	{66, "domainmgr", "postgres", "postgres runs as domain 2", agent.Info},
	{70, "host", "diag", "diag took 131 turns in one instant; slowed down", agent.Warn},
	{90, "zedmanager", "nginx", "restart 1 asked for by the controller", agent.Info},
	{95, "domainmgr", "nginx", "nginx runs as domain 3", agent.Info},
	{112, "nodeagent", "", "reboot asked for by the controller", agent.Warn},
}

// demoNode shows the device itself.
func demoNode(r *rows, m moment) {
	light := node.LedWaitingForIP
	for _, step := range []struct {
		sec  float64
		code node.LedBlinkCount
	}{{1.5, node.LedConnecting}, {3, node.LedConnected}, {4, node.LedOnboarded}} {
		if m.sec >= step.sec {
			light = step.code
		}
	}
	show(r, node.LedShown, node.LedStatus{BlinkCounter: light})
	show(r, led.Light, led.LedSeen{Blinks: int(light)})
	show(r, tpm.Module, tpm.TpmSeen{Kind: "swtpm", Vendor: "IBM", Firmware: "0.7.3"})
	show(r, security.Tpm, security.TpmStatus{Ready: true, InTPM: true, Kind: "swtpm", Vendor: "IBM"})
	show(r, hyper.Host, hyper.HostSeen{Hypervisor: "qemu-tcg", Arch: "amd64",
		TotalMemoryMB: 4096, Ncpus: 4, Detail: "no /dev/kvm", Manufacturer: "Advantech",
		Product: "UNO-2271G", Serial: "KSA0812345"})
	show(r, domain.Host, domain.HostMemory{TotalMemoryMB: 4096, Ncpus: 4, UsedEveMB: 640,
		FreeMemoryMB: 4096 - 640 - uint64(512*m.grown(11, 12)) - uint64(1024*m.grown(65, 66))})
	show(r, store.Space, store.SpaceSeen{Total: 32 << 30, Reserved: 4 << 30})
	show(r, volume.Mgr, volume.VolumeMgrStatus{Name: "volumemgr", Initialized: true,
		RemainingSpace: 21<<30 + 400<<20})
	show(r, boot.Boot, boot.BootSeen{First: m.boot == 1, RestartCounter: uint32(m.boot)})
	show(r, boot.Parts, boot.PartSeen{Label: "IMGA", State: "active", Version: "0.1.0",
		Current: true})
	reason, text := node.BootReasonFirst, ""
	if m.boot > 1 {
		reason, text = node.BootReasonRebootCmd, "reboot asked for by the controller"
	}
	show(r, node.NodeAgent, node.NodeAgentStatus{Name: "nodeagent", CurPart: "IMGA",
		BootReason: reason, RebootReason: text, RestartCounter: uint32(m.boot),
		DeviceReboot: m.sec >= 112})
	if m.boot == 1 {
		demoOnboarding(r, m)
	}
	if m.sec >= 4 || m.boot > 1 {
		show(r, node.Onboarding, node.OnboardingStatus{DeviceUUID: demoUUID,
			HardwareModel: "Advantech.UNO-2271G"})
	}
	demoController(r, m)
}

// demoOnboarding shows the onboarding client.
func demoOnboarding(r *rows, m moment) {
	step := "waiting for network"
	switch {
	case m.sec >= 4:
		step = "done"
	case m.sec >= 3.5:
		step = "register"
	case m.sec >= 2.5:
		step = "certs"
	}
	show(r, node.Client, node.ClientStatus{Step: step, Tries: 1})
}

// demoController shows what the controller and the device say to each other.
func demoController(r *rows, m moment) {
	if m.sec < 5 {
		return
	}
	z := node.ZedAgentStatus{Name: "zedagent", ConfigGetStatus: node.ConfigGetSuccess,
		DeviceState: node.StateOnline, ConfigVersion: "17", ControllerEpoch: 1,
		LastReceivedConfig: m.wall(float64(int(m.sec/10) * 10)), LastProcessedConfig: m.wall(5)}
	if m.sec >= 112 {
		z.DeviceState, z.RebootCmd = node.StateRebooting, true
	}
	show(r, node.ZedAgent, z)
	show(r, node.Info, node.EdgeNodeInfo{DeviceName: "press-line-4", ProjectName: "Turin plant",
		EnterpriseName: "ACME"})
	show(r, config.Items, config.ConfigItemValueMap{FromController: true, Values: []config.Value{
		{Key: config.ConfigInterval, Value: "10"}, {Key: config.MetricInterval, Value: "10"}}})
	polls := int64(m.sec / 10)
	show(r, metrics.Maps.Of("zedagent"), metrics.MetricsMap{Ports: []metrics.PortCounters{{
		Interface: "eth0", SuccessCount: 4 + polls*3, FailureCount: 1,
		LastSuccess: m.wall(float64(polls * 10)).Unix(), LastFailure: m.wall(2.6).Unix(),
		URLs: []metrics.URLCounters{{URL: "https://zedcloud.local/api/v2/edgedevice/config",
			TryMsgCount: polls, SentMsgCount: polls, RecvMsgCount: polls,
			RecvByteCount: polls * 214, TotalTimeMs: polls * 12}}}}})
}
