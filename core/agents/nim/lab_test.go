package nim_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/nim"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

// lab plays the parts around nim: interfaces that take items and get addresses, files, and a
// controller that answers as the test says.
type lab struct {
	*rig.Rig
	t testing.TB
	// lease is what DHCP gives an interface; without an entry nobody answers there.
	lease map[string]nic.AddrSeen
	// answer is what happens to an exchange: a status code, or a fault.
	answer func(req web.SendReq) (int, *agent.Fault)
	files  map[string]string
	// sets and pings are what was asked for, in order.
	sets  []string
	pings []string
	// events counts rounds of calls that ended; nim crashes after the one of number crashAt.
	events, crashAt int
	// brokenDisk fails every read.
	brokenDisk bool
	// refuse fails Set calls of these items.
	refuse map[string]agent.Fault
	// stuck makes Set calls of these items run until their limit; since is when they began.
	stuck string
	since map[string]time.Duration
}

const minute = time.Minute

// newLab is a device with interfaces that have a carrier, a controller's name and no configuration.
func newLab(t testing.TB, links ...string) *lab {
	l := &lab{Rig: rig.New(t, "nim", nim.New), t: t,
		lease: map[string]nic.AddrSeen{}, since: map[string]time.Duration{},
		files:  map[string]string{"/config/server": "controller.example\n"},
		answer: func(web.SendReq) (int, *agent.Fault) { return 200, nil }}
	for i, name := range links {
		l.lease[name] = addr(name, "10.0."+string(rune('0'+i))+".5/24")
	}
	l.boot(links...)
	return l
}

// addr is the addressing of an interface as DHCP gives it.
func addr(name, prefix string) nic.AddrSeen {
	p := netip.MustParsePrefix(prefix)
	gw := p.Masked().Addr().Next()
	return nic.AddrSeen{IfName: name, Addrs: []netip.Prefix{p}, Routers: []netip.Addr{gw},
		DNS: []netip.Addr{gw}, NTP: []string{"ntp." + name}, Domain: name + ".example"}
}

// boot publishes what parts see after a boot.
func (l *lab) boot(links ...string) {
	for i, name := range links {
		rig.Put(l.Rig, nic.Links, nic.LinkSeen{IfName: name, Index: i + 2, Physical: true,
			Kind: "ether", MAC: "02:00:00:00:00:0" + string(rune('0'+i)), Up: true, LowerUp: true,
			MTU: 1500})
	}
	for path, text := range l.files {
		l.file(path, text)
	}
	rig.Complete(l.Rig, nic.Links)
	rig.Complete(l.Rig, nic.Addrs)
	rig.Complete(l.Rig, nic.Items)
	rig.Complete(l.Rig, store.Files)
}

// settings publishes the initial settings, as zedagent does.
func (l *lab) settings(values ...config.Value) {
	rig.Put(l.Rig, config.Items, config.ConfigItemValueMap{Values: values})
	rig.Complete(l.Rig, config.Items)
}

func (l *lab) file(path, text string) {
	l.files[path] = text
	rig.Put(l.Rig, store.Files, store.FileSeen{Path: path, Size: int64(len(text)),
		Sha256: "sha-of-" + text[:min(len(text), 8)]})
}

// run plays on until nobody has anything to do at this instant.
func (l *lab) run() {
	l.t.Helper()
	for range 200 {
		l.Step()
		if !l.serve() {
			return
		}
		if l.events++; l.events == l.crashAt {
			l.Crash()
		}
	}
	l.t.Fatalf("no end:\n%s", l.Dump())
}

// pass moves time on, with everybody playing on.
func (l *lab) pass(d time.Duration) {
	l.t.Helper()
	for end := l.Now() + d; l.Now() < end; {
		l.Advance(min(time.Second, end-l.Now()))
		l.run()
	}
}

// serve ends the calls that run; false if there are none it would end.
func (l *lab) serve() bool {
	served := false
	for _, c := range rig.Calls(l.Rig, store.Read) {
		served = true
		if l.brokenDisk {
			rig.Fail(l.Rig, store.Read, c.Key,
				agent.Fault{Code: store.FaultIO, Text: "the disk failed", Retry: true})
			continue
		}
		rig.Done(l.Rig, store.Read, c.Key, store.ReadRes{Data: []byte(l.files[c.Req.Path])})
	}
	for _, c := range rig.Calls(l.Rig, nic.Set) {
		served = l.set(c.Key, c.Req) || served
	}
	for _, c := range rig.Calls(l.Rig, nic.Clear) {
		rig.Delete(l.Rig, nic.Items, c.Req.Item)
		kind, name, _ := strings.Cut(c.Req.Item, "/")
		switch kind {
		case "static", "dhcp":
			rig.Delete(l.Rig, nic.Addrs, name)
		case "vlan":
			rig.Delete(l.Rig, nic.Links, name)
		}
		l.sets = append(l.sets, "-"+c.Req.Item)
		rig.Done(l.Rig, nic.Clear, c.Key, nic.None{})
		served = true
	}
	for _, c := range rig.Calls(l.Rig, web.Send) {
		l.pings = append(l.pings, c.Req.Via.IfName+" "+c.Req.Via.Source.String())
		code, fault := l.answer(c.Req)
		switch {
		case fault != nil:
			rig.Fail(l.Rig, web.Send, c.Key, *fault)
		case code == 0:
			continue
		default:
			rig.Done(l.Rig, web.Send, c.Key, web.SendRes{Code: code, WithTLS: true})
		}
		served = true
	}
	return served
}

// set carries out an item.
func (l *lab) set(key string, req nic.SetReq) bool {
	if l.stuck != "" && strings.HasPrefix(req.Item, l.stuck) {
		if _, known := l.since[key]; !known {
			l.since[key] = l.Now()
		}
		if l.Now() < l.since[key]+nic.Set.Limit {
			return false
		}
		delete(l.since, key)
		rig.Fail(l.Rig, nic.Set, key, agent.Fault{Code: agent.FaultLimit, Text: "took too long"})
		return true
	}
	l.sets = append(l.sets, req.Item)
	if f, bad := l.refuse[req.Item]; bad {
		rig.Fail(l.Rig, nic.Set, key, f)
		return true
	}
	rig.Put(l.Rig, nic.Items, nic.ItemSeen(req))
	_, name, _ := strings.Cut(req.Item, "/")
	switch spec := req.Spec; {
	case spec.VLAN != nil:
		rig.Put(l.Rig, nic.Links, nic.LinkSeen{IfName: name, Index: int(spec.VLAN.ID), Kind: "vlan",
			Parent: spec.VLAN.Parent, VLAN: spec.VLAN.ID, Up: true, LowerUp: true, MTU: spec.VLAN.MTU})
	case spec.Static != nil:
		a := nic.AddrSeen{IfName: name, Addrs: []netip.Prefix{spec.Static.Addr}}
		if gw := spec.Static.Gateway; gw.IsValid() && !gw.IsUnspecified() {
			a.Routers = []netip.Addr{gw}
		}
		rig.Put(l.Rig, nic.Addrs, a)
	case spec.DHCP != nil:
		if a, ok := l.lease[name]; ok {
			rig.Put(l.Rig, nic.Addrs, a)
		}
	}
	rig.Done(l.Rig, nic.Set, key, nic.None{})
	return true
}

// carrier plugs a cable in or out.
func (l *lab) carrier(name string, up bool) {
	seen := *rig.Get(l.Rig, nic.Links, name)
	seen.LowerUp = up
	rig.Put(l.Rig, nic.Links, seen)
}

func (l *lab) dns() network.DeviceNetworkStatus {
	l.t.Helper()
	row := rig.Get(l.Rig, network.DNS, "global")
	if row == nil {
		l.t.Fatalf("no DeviceNetworkStatus:\n%s", l.Dump())
	}
	return *row
}

func (l *lab) dpcl() network.DevicePortConfigList {
	l.t.Helper()
	row := rig.Get(l.Rig, network.DPCL, "global")
	if row == nil {
		l.t.Fatalf("no DevicePortConfigList:\n%s", l.Dump())
	}
	return *row
}

// keys are the keys of the list in order.
func (l *lab) keys() string {
	l.t.Helper()
	var out []string
	for _, d := range l.dpcl().PortConfigList {
		out = append(out, d.DPCKey)
	}
	return strings.Join(out, " ")
}

// in checks which configuration is in use, and how it does.
func (l *lab) in(key string, state network.DPCState) {
	l.t.Helper()
	d := l.dns()
	if d.DPCKey != key || d.State != state || d.Testing != state.InProgress() {
		l.t.Fatalf("at %v: in use is %q, %v, testing %v; want %q, %v\n%s", l.Now(), d.DPCKey, d.State,
			d.Testing, key, state, l.Dump())
	}
}

// dpc is a configuration of management ports with DHCP; the later the minute, the newer.
func dpc(key string, minutes int, ports ...string) network.DevicePortConfig {
	d := network.DevicePortConfig{DPCKey: key, Version: 1,
		TimePriority: time.Date(2025, 1, 1, 0, minutes, 0, 0, time.UTC)}
	for _, name := range ports {
		d.Ports = append(d.Ports, network.NetworkPortConfig{IfName: name, Phylabel: name,
			Logicallabel: name, IsMgmt: true, IsL3Port: true,
			DhcpConfig:   network.DhcpConfig{Dhcp: network.DhcpClient, Type: network.NetworkV4},
			ConfigSource: network.OriginController})
	}
	return d
}

func (l *lab) wish(d network.DevicePortConfig) {
	rig.Put(l.Rig, network.DPCs.Of("zedagent"), d)
}

func refused(web.SendReq) (int, *agent.Fault) {
	return 0, &agent.Fault{Code: web.FaultTimeout, Text: "no answer in time", Retry: true}
}
