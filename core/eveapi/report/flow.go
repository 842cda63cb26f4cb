package report

import (
	"github.com/lf-edge/eve-api/go/flowlog"
	"github.com/lf-edge/eve-api/go/metrics"

	counters "github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
)

// FlowLog reports flows of an interface of an application.
func FlowLog(f *network.IPFlow, device string) *flowlog.FlowMessage {
	out := &flowlog.FlowMessage{DevId: device, Scope: &flowlog.ScopeInfo{Uuid: f.Scope.AppID,
		Intf: f.Scope.Adapter, LocalIntf: f.Scope.Vif, NetInstUUID: f.Scope.Network}}
	for i := range f.Flows {
		x := &f.Flows[i]
		action := flowlog.ACLAction_ActionAccept
		if x.Dropped {
			action = flowlog.ACLAction_ActionDrop
		}
		out.Flows = append(out.Flows, &flowlog.FlowRecord{Flow: &flowlog.IpFlow{
			Src: text(x.Local), SrcPort: int32(x.LocalPort), Dest: text(x.Remote),
			DestPort: int32(x.RemotePort), Protocol: int32(x.Protocol)}, Inbound: x.Inbound,
			AclId: x.ACLID, AclName: x.ACLName, StartTime: stamp(x.Began), EndTime: stamp(x.Ended),
			TxBytes: int64(x.TxBytes), TxPkts: int64(x.TxPkts), RxBytes: int64(x.RxBytes),
			RxPkts: int64(x.RxPkts), Action: action})
	}
	for i := range f.DNS {
		x := &f.DNS[i]
		out.DnsReqs = append(out.DnsReqs, &flowlog.DnsRequest{HostName: x.HostName,
			Addrs: texts(x.Addrs), RequestTime: stamp(x.At)})
	}
	return out
}

func flowCounters(c *counters.FlowCounters) *metrics.FlowlogCounters {
	return &metrics.FlowlogCounters{Success: c.Success, Drops: c.Drops,
		FailedAttempts: c.FailedAttempts}
}
