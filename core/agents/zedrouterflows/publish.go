package zedrouterflows

import (
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

// publish makes rows of what was collected, and notes that they are safe then. It reports false,
// and does nothing, if there is no room.
func (a *collector) publish(res *bridge.FlowsRes) bool {
	if a.rows.Len() >= network.MaxIPFlows {
		return false
	}
	x := cursor{}
	if old := a.cursor.Get("cursor"); old != nil {
		x = *old
	}
	for _, b := range a.batches(res) {
		x.Number++
		b.Number = x.Number
		a.rows.Put(*b)
	}
	x.Mark = res.Upto
	a.cursor.Put(x)
	return true
}

// batches are the rows to make: the records of each interface, in their order.
func (a *collector) batches(res *bridge.FlowsRes) (list []*network.IPFlow) {
	open := map[bridge.Endpoint]*network.IPFlow{}
	weight := map[bridge.Endpoint]int{}
	at := func(e bridge.Endpoint, w int) *network.IPFlow {
		b := open[e]
		if b == nil || weight[e]+w > network.MaxFlowRecords {
			b = &network.IPFlow{Scope: network.FlowScope{AppID: e.App, Adapter: e.Adapter, Vif: e.Vif,
				Network: e.Network}}
			open[e], weight[e] = b, 0
			list = append(list, b)
		}
		weight[e] += w
		return b
	}
	for i := range res.Flows {
		f := &res.Flows[i]
		b := at(f.Endpoint, 1)
		b.Flows = append(b.Flows, network.FlowRecord{Local: f.Local, Remote: f.Remote,
			LocalPort: f.LocalPort, RemotePort: f.RemotePort, Protocol: f.Protocol,
			Inbound: f.Inbound, ACLID: f.RuleID, ACLName: a.ruleName(&f.Endpoint, f.RuleID),
			Dropped: f.Dropped, Began: f.Began, Ended: f.Ended, TxBytes: f.TxBytes, TxPkts: f.TxPkts,
			RxBytes: f.RxBytes, RxPkts: f.RxPkts})
	}
	for _, l := range res.Lookups {
		b := at(l.Endpoint, 1+len(l.Addrs))
		b.DNS = append(b.DNS, network.DNSRequest{HostName: l.Name, Addrs: l.Addrs, At: l.At})
	}
	return list
}

// ruleName is the name of an access rule as it is wished now; empty for none.
func (a *collector) ruleName(e *bridge.Endpoint, id int32) string {
	c := a.configs.Get(e.App)
	if c == nil || id == 0 {
		return ""
	}
	for i := range c.AppNetAdapterList {
		d := &c.AppNetAdapterList[i]
		if d.Name != e.Adapter {
			continue
		}
		for j := range d.ACLs {
			if d.ACLs[j].RuleID == id {
				return d.ACLs[j].Name
			}
		}
	}
	return ""
}
