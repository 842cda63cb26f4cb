package report

import (
	"net/netip"

	"github.com/lf-edge/eve-api/go/evecommon"
	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/network"
)

func appMessage(a *info.ZInfoApp) *info.ZInfoMsg {
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiApp,
		InfoContent: &info.ZInfoMsg_Ainfo{Ainfo: a}}
}

// App reports an application. instance finds the status of a network instance by UUID and may
// return nil; adapters may be nil.
func App(s *app.AppInstanceStatus, adapters *network.AssignableAdapters,
	instance func(id string) *network.NetworkInstanceStatus,
) *info.ZInfoMsg {
	a := &info.ZInfoApp{
		AppID: s.UUID, AppVersion: s.Version, AppName: s.DisplayName, State: State(s.State),
		AppErr: errorList(&s.ErrorDescription), BootTime: stamp(s.BootTime),
		ClusterAppRunning: s.Activated,
	}
	for i := range s.AppNetAdapters {
		n := &s.AppNetAdapters[i]
		a.Network = append(a.Network, appNetwork(n, instance(n.Network)))
	}
	for i := range s.VolumeRefStatusList {
		a.VolumeRefs = append(a.VolumeRefs, s.VolumeRefStatusList[i].VolumeID)
	}
	if adapters != nil {
		a.AssignedAdapters = bundles(adapters.IoBundleList, s.UUID)
	}
	return appMessage(a)
}

// appNetwork is an interface of an application; its routers and servers are those of its network
// instance.
func appNetwork(n *network.AppNetAdapterStatus,
	ni *network.NetworkInstanceStatus,
) *info.ZInfoNetwork {
	out := &info.ZInfoNetwork{
		LocalName: n.Vif, DevName: n.Name, MacAddr: n.Mac, IPAddrs: texts(n.AssignedAddresses),
		Ipv4Up: n.IPv4Up, IpAddrMisMatch: n.IPAddrMisMatch,
	}
	if ni == nil {
		return out
	}
	if gw := text(ni.Gateway); gw != "" {
		out.DefaultRouters = []string{gw}
	}
	servers := ni.DnsServers
	if len(servers) == 0 && ni.BridgeIPAddr.IsValid() {
		servers = []netip.Addr{ni.BridgeIPAddr}
	}
	out.Dns = &info.ZInfoDNS{DNSservers: texts(servers), DNSdomain: ni.DomainName}
	out.NtpServers = ni.NtpServers
	return out
}

// bundles lists adapters by assignment group, those of one application only if it is named. An
// adapter without a group is a group of its own.
func bundles(list []network.IoBundle, owner string) []*info.ZioBundle {
	var out []*info.ZioBundle
	byGroup := map[string]*info.ZioBundle{}
	for i := range list {
		b := &list[i]
		if owner != "" && b.UsedByUUID != owner {
			continue
		}
		z := byGroup[b.AssignmentGroup]
		if z == nil || b.AssignmentGroup == "" {
			z = &info.ZioBundle{
				Type: evecommon.PhyIoType(b.Type), Name: b.AssignmentGroup, UsedByAppUUID: b.UsedByUUID,
				UsedByBaseOS: b.IsPort || b.KeepInHost, Usage: evecommon.PhyIoMemberUsage(b.Usage),
				Err: Error(&b.ErrorDescription),
			}
			if z.Name == "" {
				z.Name = b.Phylabel
			}
			byGroup[b.AssignmentGroup] = z
			out = append(out, z)
		}
		z.Members = append(z.Members, b.Logicallabel)
		if b.MacAddr != "" {
			z.IoAddressList = append(z.IoAddressList, &info.IoAddresses{MacAddress: b.MacAddr})
		}
		if z.Err == nil {
			z.Err = Error(&b.ErrorDescription)
		}
	}
	return out
}
