package storm_test

import (
	"net/netip"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// two is how long the faults of trials hold.
const two fault.Seconds = 120

func of(k fault.Kind, on string, value int64) fault.Fault {
	return fault.Fault{Kind: k, For: two, On: on, Value: value}
}

func trials() []trial {
	out := append(runTrials(), powerTrials()...)
	out = append(out, networkTrials()...)
	return append(out, controllerTrials()...)
}

// failed sees runs of an op that end with a code.
func failed(op, code string) func(*ended) bool {
	return func(e *ended) bool { return e.Op == op && e.fault() == code }
}

// slow sees runs of an op that take longer.
func slow(op string, than time.Duration) func(*ended) bool {
	return func(e *ended) bool { return e.Op == op && e.took > than }
}

func runTrials() []trial {
	return []trial{
		{Fault: of(fault.OpFail, "tpm.Sign", 0), run: failed("tpm.Sign", "failed")},
		{Fault: of(fault.OpDelay, "tpm.Sign", 5000), run: slow("tpm.Sign", 5*time.Second)},
		{Fault: of(fault.OpHang, "tpm.Sign", 0), run: func(e *ended) bool {
			return e.Op == "tpm.Sign" && e.Late
		}},
		{Fault: of(fault.OpDeny, "web.Send", 0), run: func(e *ended) bool {
			return e.Op == "web.Send" && strings.Contains(faultText(e), "injected")
		}},
		{Fault: fault.Fault{Kind: fault.AgentCrash, At: 610, On: "zedmanager"},
			look: restarted("zedmanager")},
		{Fault: of(fault.AgentSlow, "zedagent", 5000),
			look: func(l *lab) bool { return l.lag >= 5*time.Second }},
	}
}

func faultText(e *ended) string {
	if e.Fault == nil {
		return ""
	}
	return e.Fault.Text
}

// restarted sees an agent start again since the window began.
func restarted(name string) func(*lab) bool {
	starts, n := uint64(0), 0
	return func(l *lab) bool {
		now := l.d.Twin().Kernel().Proc(name).Started()
		if n != l.n {
			starts, n = now, l.n
		}
		return now != starts
	}
}

// rebooted sees the device boot since the window began.
func rebooted() func(*lab) bool {
	boots, n := uint64(0), 0
	return func(l *lab) bool {
		if n != l.n {
			boots, n = l.d.Twin().Boots(), l.n
		}
		return l.d.Twin().Boots() != boots
	}
}

// another gives the device a further application network, whose number is durable.
func another(l *lab) {
	name := []string{"one", "two", "three"}[l.n-1]
	l.d.Set(l.d.Config().LocalNetwork(fleet.LocalNetwork{Name: name, Port: "uplink",
		Subnet: "10.20." + []string{"1", "2", "3"}[l.n-1] + ".0/24"}))
}

// skewed sees a wall clock that is wrong by more than a second.
func skewed(l *lab) bool {
	k := l.d.Twin().Kernel()
	return k != nil && k.Wall().Sub(l.v.Sim.Wall()).Abs() > time.Second
}

func powerTrials() []trial {
	cut := func(l *lab) { change(l); l.d.PowerCut(time.Second) }
	return []trial{
		{Fault: of(fault.PowerCut, "", 0),
			look: func(l *lab) bool { return l.d.Twin().Kernel() == nil }},
		{Fault: of(fault.PowerInOp, "tpm.Sign", 1), look: rebooted()},
		{Fault: of(fault.PowerBefore, "", 0), do: another, look: rebooted()},
		{Fault: of(fault.PowerWithin, "zedrouter", 0), do: another, look: rebooted()},
		{Fault: of(fault.PowerAfter, "", 0), do: another, look: rebooted()},
		{Fault: of(fault.DiskFull, "", 0), do: another, run: failed("store.Write", "no-space")},
		{Fault: of(fault.BitRot, "", 1), look: func(l *lab) bool {
			for _, b := range l.d.Twin().Board.Disk.Blobs {
				if b.Rotten {
					return true
				}
			}
			return false
		}},
		{Fault: of(fault.Clock1970, "", 0), do: cut, look: func(l *lab) bool {
			k := l.d.Twin().Kernel()
			return k != nil && k.Wall().Year() == 1970
		}},
		{Fault: of(fault.ClockJump, "", -3600), look: skewed},
		{Fault: of(fault.ClockDrift, "", 100_000), look: skewed},
	}
}

// unplugged sees that the cable of eth0 is out.
func unplugged(l *lab) bool {
	p, _ := l.d.Twin().World.Port("eveport0")
	return !p.Up
}

// unanswered sees requests to the controller that fail in a way.
func unanswered(codes ...string) func(*ended) bool {
	return func(e *ended) bool {
		return e.Op == "web.Send" && strings.Contains(" "+strings.Join(codes, " ")+" ",
			" "+e.fault()+" ") && e.Fault != nil
	}
}

// without sees that eth0 has no address of a network.
func without(prefix string) func(*lab) bool {
	p := netip.MustParsePrefix(prefix)
	return func(l *lab) bool {
		if l.d.Twin().Kernel() == nil {
			return false
		}
		a, ok := l.d.Twin().Board.Nic.Address("eth0")
		return !ok || !p.Contains(a)
	}
}

// settled looks when a minute and a half of the window have passed.
func settled(f func(*lab) bool) func(*lab) bool {
	return func(l *lab) bool { return l.s.Now() > l.from+90*time.Second && f(l) }
}

// pulled has the device load another image.
func pulled(l *lab) {
	tag := []string{"2", "3", "4"}[l.n-1]
	l.s.Publish("web", tag)
	l.d.Set(l.d.Config().Image(fleet.Image{Name: "web" + tag, Store: "registry", URL: "web:" + tag}).
		Volume(fleet.Volume{Name: "vol" + tag, Image: "web" + tag}))
}

func networkTrials() []trial {
	dns := world.DefaultDNS
	proxied := world.Default(2)
	proxied.Endpoints.ExplicitProxies = []world.ExplicitProxy{{
		Endpoint: world.Endpoint{Label: "proxy", FQDN: "proxy.sdn", EndIP: world.EndIP{
			Subnet: netip.MustParsePrefix("10.82.0.0/24"), IP: netip.MustParseAddr("10.82.0.8")}},
		Proxying:  world.Proxying{Resolvers: world.Resolvers{PrivateDNS: []string{dns}}},
		HTTPProxy: world.ProxyPort{Port: 3128, ListenProto: "http"},
	}}
	proxied.Endpoints.DNSServers[0].Static = append(proxied.Endpoints.DNSServers[0].Static,
		world.DNSEntry{FQDN: "proxy.sdn", IP: "10.82.0.8"})
	reboot := func(l *lab) { change(l); l.d.PowerCut(time.Second) }
	return []trial{
		{Fault: of(fault.LinkDown, "eth0", 0), look: unplugged},
		{Fault: of(fault.LinkFlap, "eth0", 7000), look: unplugged},
		{Fault: of(fault.LinkLoss, "eth0", 100), run: unanswered("timeout", "no-dns")},
		{Fault: of(fault.LinkDelay, "eth0", 1000), run: slow("web.Send", 2*time.Second)},
		{Fault: of(fault.DHCPGone, "network0", 0), do: reboot,
			look: settled(without("10.80.0.0/24"))},
		{Fault: of(fault.DHCPMoved, "network0", 0), look: settled(without("10.80.0.0/24"))},
		{Fault: of(fault.OutsideGone, "network0", 0), run: unanswered("unreachable")},
		{Fault: of(fault.DNSGone, dns, 0), run: unanswered("no-dns")},
		{Fault: of(fault.DNSRefuse, dns, 0), run: unanswered("no-dns")},
		{Fault: of(fault.DNSWrong, dns, 0), run: unanswered("name")},
		{Fault: of(fault.DNSWrong, dns, 1), run: unanswered("unreachable")},
		{Fault: of(fault.DNSWrong, dns, 2), run: unanswered("cert-invalid", "cert-unknown")},
		{Fault: of(fault.ProxyRefuse, "proxy", 0), model: proxied, run: unanswered("refused")},
		{Fault: of(fault.HostGone, scenario.Registry, 0), do: pulled, run: func(e *ended) bool {
			return e.fault() == "timeout"
		}},
	}
}

// answered sees answers of the controller with a status.
func answered(code int) func(*ended) bool {
	return func(e *ended) bool { return e.Op == "web.Send" && e.code == code }
}

// untaken sees, a minute and a half after a change, that it is not in force.
func untaken() func(*lab) bool {
	version := func(l *lab) string {
		out := ""
		l.d.Record(func(r *fleet.Device) { _, _, out = r.ConfigBytes() })
		return out
	}
	return settled(func(l *lab) bool { return l.d.ConfigVersion() != version(l) })
}

func controllerTrials() []trial {
	config, info := string(eveapi.Config), string(eveapi.Info)
	seen := func(l *lab) (odd bool) {
		l.d.Record(func(r *fleet.Device) {
			odd = r.LastSeen().After(l.v.Sim.Wall().Add(time.Minute))
		})
		return odd
	}
	return []trial{
		{Fault: of(fault.ControllerGone, "", 0), run: unanswered("timeout")},
		{Fault: of(fault.ControllerStatus, "", 503), run: answered(503)},
		{Fault: of(fault.ControllerDelay, config, 5000), run: slow("web.Send", 5*time.Second)},
		{Fault: of(fault.ControllerUnread, "", 0), run: unanswered("reset")},
		{Fault: of(fault.ControllerClose, config, 0), run: unanswered("reset")},
		{Fault: of(fault.ControllerTruncate, config, 0), look: untaken()},
		{Fault: of(fault.ControllerEmpty, config, 0), look: untaken()},
		{Fault: of(fault.ControllerCorrupt, config, 0), look: untaken()},
		{Fault: of(fault.ControllerTwice, info, 0), look: doubled()},
		{Fault: of(fault.ControllerRepeat, config, 0), do: func(l *lab) {
			l.s.Wait(25 * time.Second) // until there was an answer that can come again
			change(l)
		}, look: untaken()},
		{Fault: of(fault.ControllerStale, "", 0), look: untaken()},
		{Fault: of(fault.ControllerStranger, config, 0), look: untaken()},
		{Fault: of(fault.ControllerForged, config, 0), look: untaken()},
		{Fault: of(fault.ControllerExpired, "", 0), look: untaken()},
		{Fault: fault.Fault{Kind: fault.ControllerRotate}, run: func(e *ended) bool {
			return e.Op == "web.Send" && strings.HasSuffix(e.request, "/certs")
		}},
		{Fault: of(fault.ControllerSkew, "", 86400), look: seen},
		{Fault: of(fault.ControllerLate, info, 80_000), do: restart, look: overtaken()},
		{Fault: of(fault.ControllerAgain, info, 20_000), do: restart, look: overtaken()},
		{Fault: of(fault.ControllerWrongType, config, 0), look: untaken()},
	}
}

// doubled sees two reports of one body in a row.
func doubled() func(*lab) bool {
	n, seq := 0, uint64(0)
	return func(l *lab) (yes bool) {
		l.d.Record(func(r *fleet.Device) {
			if n != l.n {
				n, seq = l.n, r.LastSeq()
			}
			last := ""
			for _, x := range r.ReportsSince(eveapi.Info, seq) {
				yes = yes || string(x.Body) == last
				last = string(x.Body)
			}
		})
		return yes
	}
}

// restart has the application go through several states.
func restart(l *lab) { l.d.Set(l.d.Config().RestartApp("web")) }

// overtaken sees a report come behind one that was made later.
func overtaken() func(*lab) bool {
	n, seq := 0, uint64(0)
	return func(l *lab) (yes bool) {
		l.d.Record(func(r *fleet.Device) {
			if n != l.n {
				n, seq = l.n, r.LastSeq()
			}
			for _, x := range r.ReportsSince(eveapi.Info, seq) {
				yes = yes || x.Old
			}
		})
		return yes
	}
}
