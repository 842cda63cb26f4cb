package zedmanager

import (
	"net/netip"
	"slices"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// connect asks for the network of an application and reports whether it is up.
func (a *zedmanager) connect(t *round, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) (ready bool) {
	id := acc.UUID
	next := networkOf(acc)
	if have := a.nets.Get(id); have != nil && a.isUp(id) {
		next = live(have, &next)
	}
	a.nets.Put(next)
	ns := a.netStats.Get(id)
	if ns == nil || ns.Of != a.nets.Rev(id) {
		return false
	}
	st.AppNetAdapters = ns.AppNetAdapterList
	if ns.HasError() {
		st.SetFrom(fromNetwork, ns.ErrorDescription, t.Wall)
		return false
	}
	st.ClearFrom(fromNetwork)
	if ns.AwaitNetworkInstance {
		st.MissingNetwork = true
		if !a.isUp(id) {
			st.State = entity.AWAITNETWORKINSTANCE
		}
		return false
	}
	return ns.Activated && !ns.PendingAdd && !ns.PendingModify && !ns.PendingDelete
}

// networkOf is the network that a configuration wishes.
func networkOf(acc *app.AppInstanceConfig) network.AppNetworkConfig {
	c := network.AppNetworkConfig{UUIDandVersion: acc.UUIDandVersion, DisplayName: acc.DisplayName,
		Activate: true, AppNetAdapterList: acc.AppNetAdapterList,
		CloudInitUserData: acc.CloudInitUserData, MetaDataType: acc.MetaDataType}
	c.GetStatsIPAddr, _ = netip.ParseAddr(acc.CollectStatsIPAddr)
	return c
}

// live is the network of an application whose guest may run: its interfaces stay as they are until
// the guest is off, their access rules follow at once.
//
// EVE: a change of interfaces also withholds the change of rules that comes with it.
func live(have, next *network.AppNetworkConfig) network.AppNetworkConfig {
	out := *next
	out.UUIDandVersion, out.Activate = have.UUIDandVersion, have.Activate
	out.AppNetAdapterList = slices.Clone(have.AppNetAdapterList)
	for i := range out.AppNetAdapterList {
		ad := &out.AppNetAdapterList[i]
		for k := range next.AppNetAdapterList {
			if n := &next.AppNetAdapterList[k]; n.Name == ad.Name && n.Network == ad.Network {
				ad.ACLs = n.ACLs
				break
			}
		}
	}
	return out
}
