package report

import (
	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/topics/network"
)

func instanceMessage(n *info.ZInfoNetworkInstance) *info.ZInfoMsg {
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiNetworkInstance,
		InfoContent: &info.ZInfoMsg_Niinfo{Niinfo: n}}
}

// Instance reports a network instance.
func Instance(s *network.NetworkInstanceStatus) *info.ZInfoMsg {
	n := &info.ZInfoNetworkInstance{
		NetworkID: s.UUID, NetworkVersion: s.Version, InstType: uint32(s.Type),
		Displayname: s.DisplayName, Activated: s.Activated, UpTimeStamp: stamp(s.ActivatedAt),
		CurrentUplinkIntf: s.SelectedUplink, Ports: s.Ports, BridgeNum: uint32(max(s.BridgeNum, 0)),
		BridgeName: s.BridgeName, BridgeIPAddr: text(s.BridgeIPAddr), Mtu: uint32(s.EffectiveMTU),
	}
	n.NetworkErr = errorList(&s.NetworkErr)
	switch {
	case n.NetworkErr != nil:
		n.State = info.ZNetworkInstanceState_ZNETINST_STATE_ERROR
	case s.ChangeInProgress:
		n.State = info.ZNetworkInstanceState_ZNETINST_STATE_INIT
	case s.Activated:
		n.State = info.ZNetworkInstanceState_ZNETINST_STATE_ONLINE
	}
	for _, v := range s.Vifs {
		n.Vifs = append(n.Vifs, &info.ZmetVifInfo{
			VifName: v.Name, MacAddress: v.MacAddr, AppID: v.AppID})
	}
	for _, a := range s.IPAssignments {
		if last := len(n.IpAssignments) - 1; last >= 0 && n.IpAssignments[last].MacAddress == a.MacAddr {
			n.IpAssignments[last].IpAddress = append(n.IpAssignments[last].IpAddress, a.IP.String())
			continue
		}
		n.IpAssignments = append(n.IpAssignments, &info.ZmetIPAssignmentEntry{
			MacAddress: a.MacAddr, IpAddress: []string{a.IP.String()}})
	}
	for _, r := range s.CurrentRoutes {
		n.IpRoutes = append(n.IpRoutes, &info.IPRoute{
			DestinationNetwork: r.DstNetwork.String(), Gateway: text(r.Gateway), Port: r.OutputPort,
			GatewayApp: r.GatewayApp})
	}
	return instanceMessage(n)
}
