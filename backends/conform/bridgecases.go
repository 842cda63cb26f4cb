package conform

// bridgeCases are the cases of part bridge.
func bridgeCases() []Group[*bridgeBench] {
	return []Group[*bridgeBench]{
		{Name: "bridges", Cases: bridgeLinkCases()},
		{Name: "service and translation", Cases: bridgeServiceCases()},
		{Name: "guests", Cases: bridgeGuestCases()},
		{Name: "mapped ports", Cases: bridgeMapCases()},
		{Name: "outside changes", Cases: bridgeMeddleCases()},
		{Name: "metadata", Cases: bridgeMetaCases()},
		{Name: "flow log", Cases: bridgeFlowCases()},
		{Name: "power", Cases: bridgePowerCases()},
	}
}

func bridgeLinkCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "complete after boot", Run: (*bridgeBench).afterBoot,
			Clause: "a table is Complete when all was looked at once since boot"},
		{Name: "wrong requests", Run: (*bridgeBench).wrongRequests,
			Clause: "the spec makes no sense: FaultRefused, and nothing changes"},
		{Name: "no base", Run: (*bridgeBench).noBase,
			Clause: "a base item does not exist: FaultMissing; Retry"},
		{Name: "a bridge", Run: (*bridgeBench).aBridge,
			Clause: "each applied spec comes back in a Seen row as it was applied"},
		{Name: "again", Run: (*bridgeBench).bridgeAgain,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "another address and MTU", Run: (*bridgeBench).bridgeChange,
			Clause: "Set makes an item be as its spec says"},
		{Name: "a switch with a port", Run: (*bridgeBench).bridgePorts,
			Clause: "Ports are interfaces of the device enslaved to it"},
		{Name: "spanning tree and LLDP", Run: (*bridgeBench).bridgeModes,
			Clause: "STP runs the spanning tree protocol; ForwardLLDP lets discovery through"},
		{Name: "a port that is not there", Run: (*bridgeBench).bridgeNoPort,
			Clause: "an interface does not exist: FaultMissing; Retry"},
		{Name: "cleared", Run: (*bridgeBench).bridgeClear,
			Clause: "Clear removes an item; undoing what is not there is a success"},
	}
}

func bridgeServiceCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "a service", Run: (*bridgeBench).aService,
			Clause: "ServiceSpec is the DHCP and DNS service of a bridge"},
		{Name: "a service again", Run: (*bridgeBench).serviceAgain,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "hosts come and go", Run: (*bridgeBench).serviceHosts,
			Clause: "Set makes an item be as its spec says"},
		{Name: "translation", Run: (*bridgeBench).aNAT,
			Clause: "NATSpec lets a subnet out through ports"},
		{Name: "another table", Run: (*bridgeBench).natTable,
			Clause: "Set makes an item be as its spec says"},
		{Name: "a bridge that is used", Run: (*bridgeBench).busyBridge,
			Clause: "clearing a bridge with items on it: FaultBusy"},
		{Name: "all cleared", Run: (*bridgeBench).serviceClear,
			Clause: "Clear removes an item"},
	}
}

func bridgeGuestCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "set before it appears", Run: (*bridgeBench).vifBefore,
			Clause: "a VIF item says how an interface is to be attached once it appears"},
		{Name: "appears", Run: (*bridgeBench).vifAppears,
			Clause: "VifSeen shows that an interface exists and is attached"},
		{Name: "again", Run: (*bridgeBench).vifAgain,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "its address", Run: (*bridgeBench).vifAddress,
			Clause: "IPs is what the guest was seen to use"},
		{Name: "appears before it is set", Run: (*bridgeBench).vifAfter,
			Clause: "an interface that no item speaks of is there and not attached"},
		{Name: "other rules", Run: (*bridgeBench).vifRules,
			Clause: "a change of rules never touches the interface"},
		{Name: "unplugged and plugged in", Run: (*bridgeBench).vifPlug,
			Clause: "while it is not Up, nothing passes"},
		{Name: "vanishes and comes back", Run: (*bridgeBench).vifVanish,
			Clause: "an interface goes and comes with its guest; its item stays"},
		{Name: "counters", Run: (*bridgeBench).vifCounters,
			Clause: "counters are listed by interface name and never go back"},
		{Name: "an access VLAN", Run: (*bridgeBench).vifVLAN, Needs: NeedsBridgeVLAN,
			Clause: "VLAN is the access VLAN of an interface"},
		{Name: "no VLANs", Run: (*bridgeBench).vifNoVLAN, Needs: NeedsNoBridgeVLAN,
			Clause: "this machine cannot do it: FaultUnsupported; Text names what it lacks"},
		{Name: "cleared", Run: (*bridgeBench).vifClear,
			Clause: "without its item an interface is there and not attached"},
	}
}

func bridgeMapCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "a port leads to a guest", Run: (*bridgeBench).mapOpen,
			Clause: "PortMap forwards a port of the device to a guest"},
		{Name: "its rules say no", Run: (*bridgeBench).mapRules,
			Clause: "rules take effect at once"},
		{Name: "another port", Run: (*bridgeBench).mapMoves,
			Clause: "a port that is not mapped any more leads nowhere"},
		{Name: "for others only", Run: (*bridgeBench).mapFrom, Clause: "From is the allowed remotes"},
		{Name: "a port that is taken", Run: (*bridgeBench).mapTaken,
			Clause: "a port is taken: FaultRefused"},
		{Name: "unplugged", Run: (*bridgeBench).mapDown,
			Clause: "while an interface is not Up, no port is mapped"},
	}
}

func bridgeMeddleCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "the service is killed", Run: (*bridgeBench).killed,
			Clause: "observations change without ops: a service ended, and serves again"},
		{Name: "the firewall is taken away", Run: (*bridgeBench).unfenced,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "the bridge is taken away", Run: (*bridgeBench).unbridged,
			Clause: "with a bridge goes what stood on it"},
		{Name: "a bridge that nobody wants any more", Run: (*bridgeBench).abandoned,
			Clause: "what is not seen stands on nothing, and goes with what it stood on"},
	}
}

func bridgePowerCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "a power cut", Run: (*bridgeBench).power,
			Clause: "nothing that was configured outlives the kernel's boot"},
		{Name: "configured again", Run: (*bridgeBench).poweredAgain,
			Clause: "every op is idempotent"},
	}
}
