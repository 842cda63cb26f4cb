package zedrouter

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// parts are the kinds of items that belong to an instance.
var parts = [...]string{"bridge/", "service/", "nat/"}

// tellInstance publishes what became of an instance; the last that is left of one that is gone
// takes its status along.
func (s *sheet) tellInstance(n *instance) {
	if n.gone && !n.up && !s.remains(n) {
		s.z.status.Delete(n.id)
		return
	}
	out := network.NetworkInstanceStatus{NetworkInstanceConfig: *n.cfg, Of: n.rev,
		BridgeNum: n.num, EffectiveMTU: n.mtu}
	out.ErrorDescription = entity.ErrorDescription{}
	if n.num > 0 {
		out.BridgeName, out.BridgeMac = n.name(), bridgeMAC(s.device(), n.num)
	}
	if n.local() {
		out.BridgeIPAddr = n.cfg.Gateway
	}
	if out.Activated = n.active; n.active {
		out.ActivatedAt = s.t.Wall
		if n.old != nil && n.old.Activated {
			out.ActivatedAt = n.old.ActivatedAt
		}
	}
	for _, p := range n.ports {
		out.Ports = append(out.Ports, p.Logicallabel)
	}
	out.CurrentRoutes = n.current()
	if w := n.way(); w != nil && w.port != nil {
		out.SelectedUplink = w.port.Logicallabel
	} else if len(out.Ports) > 0 {
		out.SelectedUplink = out.Ports[0]
	}
	s.tellGuests(n, &out)
	errs := n.errs
	if n.num > 0 {
		for _, part := range parts {
			if fault := s.holds[part+n.name()]; fault != "" {
				errs = append(errs, fault)
			}
		}
	}
	out.ChangeInProgress = n.gone || n.cfg.Activate && len(errs) == 0 && !n.active
	if n.old != nil {
		out.NetworkErr = n.old.NetworkErr
	}
	out.NetworkErr.Set(entity.ErrorDescription{Error: strings.Join(errs, "\n")}, s.t.Wall)
	s.z.status.Put(out)
}

func (s *sheet) tellGuests(n *instance, out *network.NetworkInstanceStatus) {
	for _, g := range n.guests {
		out.Vifs = append(out.Vifs, network.VifNameMac{Name: g.vif, MacAddr: g.mac, AppID: g.app})
		if g.ip.IsValid() {
			out.IPAssignments = append(out.IPAssignments,
				network.AssignedAddr{MacAddr: g.mac, IP: g.ip})
		}
	}
	slices.SortFunc(out.Vifs, func(a, b network.VifNameMac) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(out.IPAssignments, func(a, b network.AssignedAddr) int {
		return cmp.Compare(a.MacAddr, b.MacAddr)
	})
}

// remains reports whether the part still has something of an instance.
func (s *sheet) remains(n *instance) bool {
	for _, part := range parts {
		if n.num > 0 && s.z.items.Get(part+n.name()) != nil {
			return true
		}
	}
	return s.attached("", n.id)
}

// tellApplication publishes what became of an application's connectivity.
func (s *sheet) tellApplication(a *application) {
	left := s.attached(a.id, "")
	if a.cfg == nil {
		if !left {
			s.z.appStatus.Delete(a.id)
			return
		}
		out := *a.old
		out.PendingDelete, out.PendingAdd, out.PendingModify = true, false, false
		s.z.appStatus.Put(out)
		return
	}
	out := network.AppNetworkStatus{UUIDandVersion: a.cfg.UUIDandVersion, Of: a.rev, AppNum: a.num,
		DisplayName: a.cfg.DisplayName, AwaitNetworkInstance: a.await && !a.up}
	errs := a.errs
	settled := true
	for _, d := range a.adapters {
		st := s.tellAdapter(a, d)
		if fault := s.holds["vif/"+d.vif]; fault != "" && d.vif != "" {
			errs = append(errs, fault)
		}
		settled = settled && s.settled(d)
		out.AppNetAdapterList = append(out.AppNetAdapterList, st)
	}
	was := a.old != nil && a.old.Activated
	out.Activated = a.up && (was || settled) || !a.up && was && left
	switch {
	case !a.up && left, a.up && was && !settled && len(errs) == 0:
		out.PendingModify = true
	case a.cfg.Activate && !out.Activated && len(errs) == 0 && !out.AwaitNetworkInstance:
		out.PendingAdd = true
	}
	out.ConfigInSync = !out.PendingModify
	if a.old != nil {
		out.ErrorAndTime = a.old.ErrorAndTime
	}
	out.Set(entity.ErrorDescription{Error: strings.Join(errs, "\n")}, s.t.Wall)
	s.z.appStatus.Put(out)
}

// settled reports whether an interface is applied as wished and its address is reserved.
func (s *sheet) settled(d *adapter) bool {
	switch {
	case d.kept != nil:
		return true
	case d.ni == nil || d.err != "" || !s.applied("vif/"+d.vif, bridge.Spec{Vif: d.spec()}):
		return false
	case !d.ni.served():
		return true
	}
	row := s.z.items.Get("service/" + d.ni.name())
	return row != nil && row.Spec.Service != nil && slices.Contains(row.Spec.Service.Hosts,
		bridge.Host{MAC: d.mac, IP: d.ip, Name: d.app})
}

// tellAdapter is what became of an interface. The access rules are left out: nobody reads them
// there.
func (s *sheet) tellAdapter(a *application, d *adapter) network.AppNetAdapterStatus {
	out := network.AppNetAdapterStatus{AppNetAdapterConfig: *d.cfg, HostName: a.id}
	out.ACLs = nil
	out.Error = d.err
	n := d.ni
	if n == nil || n.num == 0 || d.vif == "" {
		return out
	}
	out.VifInfo = network.VifInfo{Bridge: n.name(), Vif: d.vif, Mac: d.mac}
	out.BridgeMac, out.MTU = bridgeMAC(s.device(), n.num), n.mtu
	if n.local() {
		out.BridgeIPAddr = n.cfg.Gateway
	}
	if d.ip.Is4() {
		out.AllocatedIPv4Addr = d.ip
	}
	if v := s.z.vifs.Get(d.vif); v != nil && a.up {
		out.AssignedAddresses = v.IPs
		for _, ip := range v.IPs {
			out.IPv4Up = out.IPv4Up || ip.Is4()
			out.IPAddrMisMatch = out.IPAddrMisMatch || d.ip.IsValid() && ip.Is4() && ip != d.ip
		}
	}
	return out
}
