package report

import (
	"net/netip"
	"time"

	"github.com/lf-edge/eve-api/go/evecommon"
	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// systemAdapter reports the port configurations, the one in use as it is. Without any in use the
// index is 0; EVE sends 4294967295 then.
func systemAdapter(list *network.DevicePortConfigList,
	now *network.DeviceNetworkStatus,
) *info.SystemAdapterInfo {
	if list == nil {
		return nil
	}
	out := &info.SystemAdapterInfo{CurrentIndex: uint32(max(list.CurrentIndex, 0))}
	for i := range list.PortConfigList {
		c := &list.PortConfigList[i]
		s := &info.DevicePortStatus{
			Version: uint32(c.Version), Key: c.DPCKey, TimePriority: stamp(c.TimePriority),
			LastFailed: stamp(c.LastFailed), LastSucceeded: stamp(c.LastSucceeded),
			LastError: c.LastError,
		}
		if i == list.CurrentIndex && now != nil && now.DPCKey == c.DPCKey {
			for j := range now.Ports {
				s.Ports = append(s.Ports, livePort(&now.Ports[j]))
			}
		} else {
			for j := range c.Ports {
				s.Ports = append(s.Ports, wishedPort(&c.Ports[j], c.TimePriority))
			}
		}
		out.Status = append(out.Status, s)
	}
	return out
}

// livePort is a port as it is.
func livePort(p *network.NetworkPortStatus) *info.DevicePort {
	out := &info.DevicePort{
		Ifname: p.IfName, Name: p.Logicallabel, IsMgmt: p.IsMgmt, Free: p.Cost == 0,
		DhcpType: uint32(p.Dhcp), Domainname: p.DomainName, MacAddr: p.MacAddr, Up: p.Up,
		NetworkUUID: p.NetworkUUID, Cost: uint32(p.Cost), Mtu: uint32(p.MTU),
		DefaultRouters: texts(p.DefaultRouters), Proxy: proxy(&p.ProxyConfig),
		Dns:          &info.ZInfoDNS{DNSservers: texts(p.DNSServers), DNSdomain: p.DomainName},
		ConfigSource: source(p.ConfigSource, time.Time{}), Usage: usage(p.IsMgmt),
		Err: portError(&p.TestResults, &p.ErrorDescription),
	}
	for _, a := range p.AddrInfoList {
		out.IPAddrs = append(out.IPAddrs, a.Addr().String())
		if out.Subnet == "" && a.Addr().Is4() {
			out.Subnet = a.Masked().String()
		}
	}
	if out.Subnet == "" && len(p.AddrInfoList) > 0 {
		out.Subnet = p.AddrInfoList[0].Masked().String()
	}
	ntp(out, p.NtpServers)
	return out
}

// wishedPort is a port of a configuration that is not in use.
func wishedPort(p *network.NetworkPortConfig, at time.Time) *info.DevicePort {
	out := &info.DevicePort{
		Ifname: p.IfName, Name: p.Logicallabel, IsMgmt: p.IsMgmt, Free: p.Cost == 0,
		DhcpType: uint32(p.Dhcp), Domainname: p.DomainName, NetworkUUID: p.NetworkUUID,
		Cost: uint32(p.Cost), Mtu: uint32(p.MTU), Gateway: text(p.Gateway),
		DnsServers: texts(p.DNSServers), Proxy: proxy(&p.ProxyConfig),
		ConfigSource: source(p.ConfigSource, at), Usage: usage(p.IsMgmt),
		Err: portError(&p.TestResults, &entity.ErrorDescription{}),
	}
	if a, err := netip.ParsePrefix(p.AddrSubnet); err == nil {
		out.Subnet = a.Masked().String()
		out.IPAddrs = []string{a.Addr().String()}
	}
	ntp(out, p.NTPServers)
	return out
}

// portError is the error of a port: of its last test, else of its configuration or use.
func portError(r *network.TestResults, e *entity.ErrorDescription) *info.ErrorInfo {
	if r.LastError != "" && !r.Working() {
		return Error(&entity.ErrorDescription{Error: r.LastError, ErrorTime: r.LastFailed,
			ErrorSeverity: entity.SeverityError})
	}
	return Error(e)
}

func usage(mgmt bool) evecommon.PhyIoMemberUsage {
	if mgmt {
		return evecommon.PhyIoMemberUsage_PhyIoUsageMgmtAndApps
	}
	return evecommon.PhyIoMemberUsage_PhyIoUsageShared
}

func source(o network.Origin, at time.Time) *evecommon.PortConfigSource {
	return &evecommon.PortConfigSource{
		Origin: evecommon.NetworkConfigOrigin(o), SubmittedAt: stamp(at)}
}

func ntp(out *info.DevicePort, servers []string) {
	if len(servers) > 0 {
		out.NtpServer, out.MoreNtpServers = servers[0], servers[1:]
	}
}

// proxy is how a port reaches the web, nil if nothing is set.
func proxy(c *network.ProxyConfig) *info.ProxyStatus {
	if len(c.Proxies) == 0 && c.Exceptions == "" && c.Pacfile == "" && !c.NetworkProxyEnable {
		return nil
	}
	out := &info.ProxyStatus{
		Exceptions: c.Exceptions, Pacfile: c.Pacfile, NetworkProxyEnable: c.NetworkProxyEnable,
		NetworkProxyURL: c.NetworkProxyURL, WpadURL: c.WpadURL,
	}
	for _, e := range c.Proxies {
		out.Proxies = append(out.Proxies, &info.ProxyEntry{
			Type: uint32(e.Type), Server: e.Server, Port: e.Port})
	}
	return out
}
