package conform

// nicCases are the cases of part nic.
func nicCases() []Group[*nicBench] {
	return []Group[*nicBench]{
		{Name: "links", Cases: nicLinkCases()},
		{Name: "fixed addresses", Cases: nicStaticCases()},
		{Name: "DHCP", Cases: nicDHCPCases()},
		{Name: "IPv6", Cases: nicSixCases()},
		{Name: "routes and names", Cases: nicRouteCases()},
		{Name: "VLANs", Cases: nicVLANCases()},
		{Name: "WireGuard", Cases: nicTunnelCases()},
		{Name: "power", Cases: nicPowerCases()},
	}
}

func nicLinkCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "complete after boot", Run: (*nicBench).afterBoot,
			Clause: "physical interfaces exist from boot on; a table is Complete when all was looked at"},
		{Name: "wrong requests", Run: (*nicBench).wrongRequests,
			Clause: "a spec that makes no sense is refused, and what is there stays"},
		{Name: "no base", Run: (*nicBench).noBase,
			Clause: "an item whose base is missing: FaultMissing; Retry"},
		{Name: "up", Run: (*nicBench).linkUp, Clause: "a link item brings a physical interface up"},
		{Name: "again", Run: (*nicBench).linkAgain,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "another MTU", Run: (*nicBench).linkMTU, Clause: "Set makes the item be as its spec says"},
		{Name: "limits of the MTU", Run: (*nicBench).limitsMTU, Clause: "LeastMTU bounds an MTU"},
		{Name: "a cable is pulled", Run: (*nicBench).cable,
			Clause: "observations change without ops: a cable is pulled"},
		{Name: "somebody stops the interface", Run: (*nicBench).stoppedLink,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "an item stands on it", Run: (*nicBench).busyLink,
			Clause: "an item that another one stands on is not cleared: FaultBusy"},
		{Name: "down", Run: (*nicBench).linkDown,
			Clause: "Clear removes an item; undoing what is not there is a success"},
		{Name: "counters", Run: (*nicBench).counted,
			Clause: "counters are listed by interface name and never go back within a boot"},
	}
}

func nicStaticCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "address and gateway", Run: (*nicBench).static,
			Clause: "a static item gives an interface a fixed address"},
		{Name: "another address", Run: (*nicBench).staticChange,
			Clause: "Set modifies an item: the address it had is gone"},
		{Name: "no gateway", Run: (*nicBench).staticNoGateway,
			Clause: "a gateway that is unspecified: no default route"},
		{Name: "somebody takes the address", Run: (*nicBench).staticTaken,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "without a carrier", Run: (*nicBench).staticNoCarrier,
			Clause: "a fixed address outlives a lost carrier"},
		{Name: "cleared", Run: (*nicBench).staticClear, Clause: "Clear removes an item"},
		{Name: "somebody takes what stands on it", Run: (*nicBench).staticAbandoned,
			Clause: "what is not seen stands on nothing, and goes with what it stood on"},
	}
}

func nicDHCPCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "a lease", Run: (*nicBench).lease,
			Clause: "addresses, routers, servers, domain, WPAD and the end of the lease are learned"},
		{Name: "again", Run: (*nicBench).leaseAgain,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "another gateway, and none", Run: (*nicBench).leaseGateway,
			Clause: "Gateway overrides the learned router; the address stays"},
		{Name: "somebody takes the address", Run: (*nicBench).leaseTaken,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "a cable is pulled", Run: (*nicBench).leaseCable,
			Clause: "addresses disappear with the carrier and come back with it"},
		{Name: "the network has another subnet", Run: (*nicBench).leaseRenumbered,
			Clause: "a new carrier is a new network: the address is asked for anew"},
		{Name: "the server is killed", Run: (*nicBench).leaseKilled,
			Clause: "the item is applied as soon as the clients run; addresses show later"},
		{Name: "cleared", Run: (*nicBench).leaseClear,
			Clause: "without the item what was learned disappears"},
		{Name: "cleared while nobody answers", Run: (*nicBench).leaseClearEarly,
			Clause: "a client that waits for an answer ends at once"},
	}
}

func nicSixCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "IPv4 only", Run: (*nicBench).fourOnly,
			Clause: "without V6 no address is formed from advertisements"},
		{Name: "a router advertises", Run: (*nicBench).slaac,
			Clause: "router advertisements with SLAAC, and servers from them"},
		{Name: "a cable is pulled", Run: (*nicBench).slaacCable,
			Clause: "addresses disappear with the carrier and come back with it"},
		{Name: "cleared", Run: (*nicBench).slaacClear,
			Clause: "without the item what was learned disappears"},
	}
}

func nicRouteCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "routes of a port", Run: (*nicBench).routes,
			Clause: "each applied spec comes back in a Seen row as it was applied"},
		{Name: "another metric", Run: (*nicBench).routesMetric, Clause: "Set modifies an item"},
		{Name: "somebody takes a route", Run: (*nicBench).routesTaken,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "the address changes", Run: (*nicBench).routesFollow,
			Clause: "routes and rules follow the addresses of their interface"},
		{Name: "routes cleared", Run: (*nicBench).routesClear, Clause: "Clear removes an item"},
		{Name: "names", Run: (*nicBench).names, Clause: "the device's own name service"},
		{Name: "somebody writes the file", Run: (*nicBench).namesTaken,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "names cleared", Run: (*nicBench).namesClear, Clause: "Clear removes an item"},
	}
}

func nicVLANCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "a VLAN", Run: (*nicBench).vlan, Needs: NeedsVLAN,
			Clause: "VLANs appear when an item made them"},
		{Name: "another id", Run: (*nicBench).vlanID, Needs: NeedsVLAN, Clause: "Set modifies an item"},
		{Name: "an address in it", Run: (*nicBench).vlanLease, Needs: NeedsVLAN,
			Clause: "items stand on VLANs as on links, and VLANs on links"},
		{Name: "somebody removes it", Run: (*nicBench).vlanTaken, Needs: NeedsVLAN,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "a kernel without", Run: (*nicBench).vlanLacking, Needs: NeedsNoVLAN,
			Clause: "this machine cannot do it: FaultUnsupported, Text names what it lacks"},
	}
}

func nicPowerCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "many at once", Run: (*nicBench).together, Loose: "four calls end in any order",
			Clause: "items are set side by side"},
		{Name: "cancelled", Run: (*nicBench).cancelled,
			Loose:  "a cancelled call may still take effect",
			Clause: "a call that is cancelled ends within a second"},
		{Name: "power cut", Run: (*nicBench).powerCut,
			Clause: "after power on there are interfaces and nothing else"},
		{Name: "power cut half-way", Run: (*nicBench).cutHalfway,
			Loose:  "how far the op was when the power went is chance",
			Clause: "every op is idempotent: after a cut it is done again"},
	}
}
