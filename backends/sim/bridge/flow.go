package bridge

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host"
)

// Talk is packets that the guest of an interface exchanges with somebody.
type Talk struct {
	// Packet is the first one; who sends it opens the flow.
	Packet
	// Tx is what the guest sends, Rx what it is sent.
	TxBytes, TxPkts, RxBytes, RxPkts uint64
}

// openFlow is a flow that is not recorded yet.
type openFlow struct {
	device.Flow
	last time.Duration // when it was seen last
}

// Talk has packets pass an interface, or be dropped there: then the other end answers nothing. An
// interface that is not there exchanges nothing.
func (b *Bridge) Talk(vif string, x Talk) {
	v, s := b.vifs[vif], b.specs["vif/"+vif].Vif
	if v == nil || s == nil || !s.Up || !s.FlowLog || len(v.ips) == 0 || !b.Has(s.Bridge) {
		return
	}
	verdict := device.Decide(s.Rules, b.gateway(s.Bridge), x.Packet, nil)
	if verdict.Needed || device.ToMany(x.Remote) {
		return
	}
	if !verdict.Pass && x.Out {
		x.RxBytes, x.RxPkts = 0, 0
	} else if !verdict.Pass {
		x.TxBytes, x.TxPkts = 0, 0
	}
	f := device.Flow{Endpoint: endpoint(vif, s), Inbound: !x.Out, Protocol: x.Proto, Local: v.ips[0],
		Remote: x.Remote, LocalPort: x.LPort, RemotePort: x.RPort, RuleID: verdict.RuleID,
		Dropped: !verdict.Pass, Began: b.pt.Wall()}
	b.openFlow(f, x)
}

// openFlow counts packets of a flow, new or not.
func (b *Bridge) openFlow(f device.Flow, x Talk) {
	i := slices.IndexFunc(b.open, func(o *openFlow) bool {
		return o.Vif == f.Vif && o.Inbound == f.Inbound && o.Protocol == f.Protocol &&
			o.Local == f.Local && o.Remote == f.Remote && o.LocalPort == f.LocalPort &&
			o.RemotePort == f.RemotePort && o.Dropped == f.Dropped
	})
	if i < 0 {
		i = len(b.open)
		b.open = append(b.open, &openFlow{Flow: f})
	}
	o := b.open[i]
	o.TxBytes += x.TxBytes
	o.TxPkts += x.TxPkts
	o.RxBytes += x.RxBytes
	o.RxPkts += x.RxPkts
	o.last, o.Ended = b.pt.Now(), b.pt.Wall()
	b.pt.Do(b.tellMay)
}

// tellMay tells whether there may be something to collect.
func (b *Bridge) tellMay() {
	b.may.Put(device.RecordsSeen{May: len(b.open) > 0 || b.log.Len() > 0})
}

// endpoint is who a record is about.
func endpoint(vif string, s *device.VifSpec) device.Endpoint {
	return device.Endpoint{Vif: vif, App: s.AppID, Adapter: s.Adapter, Network: s.Network}
}

// Rest lets all flows rest for long enough to be recorded.
func (b *Bridge) Rest() {
	for _, o := range b.open {
		o.last = min(o.last, b.pt.Now()-device.FlowRest)
	}
}

// Resolve has the guest of an interface ask the service of its bridge for a name, and be told these
// addresses; those of a name of the service are known.
func (b *Bridge) Resolve(vif, name string, addrs ...netip.Addr) {
	v, s := b.vifs[vif], b.specs["vif/"+vif].Vif
	if v == nil || s == nil || !s.Up || !s.FlowLog || len(v.ips) == 0 {
		return
	}
	svc := b.specs["service/"+s.Bridge].Service
	if svc == nil || !svc.FlowLog {
		return
	}
	for _, n := range svc.Names {
		if strings.EqualFold(n.Name, name) {
			addrs = append(addrs, n.IPs...)
		}
	}
	addrs = slices.SortedFunc(slices.Values(addrs), netip.Addr.Compare)
	b.log.Lookup(device.Lookup{Endpoint: endpoint(vif, s), Name: name, Addrs: addrs,
		At: b.pt.Wall()})
	b.pt.Do(b.tellMay)
}

// flows tells what was recorded.
func (b *Bridge) flows(c host.Run[device.FlowsReq, device.FlowsRes]) {
	c.After(c.Latency(200*time.Microsecond, 4*time.Millisecond), func() {
		b.record(func(o *openFlow) bool {
			return o.Dropped || b.pt.Now()-o.last >= device.FlowRest
		})
		res := b.log.Collect(c.Req().After)
		b.tellMay()
		c.Done(res)
	})
}

// record makes records of the flows for which over holds.
func (b *Bridge) record(over func(*openFlow) bool) {
	b.open = slices.DeleteFunc(b.open, func(o *openFlow) bool {
		if !over(o) {
			return false
		}
		b.log.Flow(o.Flow)
		return true
	})
}

// relog follows a change of an item: what is cleared is recorded, and what is not to be logged any
// more is forgotten.
func (b *Bridge) relog(item string) {
	vif, ok := strings.CutPrefix(item, "vif/")
	if !ok {
		return
	}
	of := func(o *openFlow) bool { return o.Vif == vif }
	switch s := b.specs[item].Vif; {
	case s == nil:
		b.record(of)
	case !s.FlowLog:
		b.open = slices.DeleteFunc(b.open, of)
		b.log.Forget(vif)
	}
	b.tellMay()
}
