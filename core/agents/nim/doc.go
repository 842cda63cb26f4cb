// Package nim keeps the device connected: it takes in port configurations (DPC) from all sources,
// verifies them, applies the best that works, and tells everybody what the ports are like.
//
//	in   zedagent/ConfigItemValueMap      durations and what is allowed
//	     zedagent/DevicePortConfig        the controller's configurations, bootstrap included
//	     monitor/DevicePortConfig         the local operator's
//	     store/FileSeen                   /config/DevicePortConfig/*.json, lastconfig, server
//	     nic/LinkSeen, AddrSeen, ItemSeen what interfaces there are, and what is applied
//	     domainmgr/AssignableAdapters     interfaces given to applications
//	out  nim/DevicePortConfigList         the list by priority, on flash: changed with a verdict only
//	     nim/DeviceNetworkStatus          the configuration in use as it is now
//	     nim/PortConfigFile               what became of each file
//	     nim/MetricsMap                   counters of its exchanges
//	     nim/LedBlinkCounter              waiting for an address; connecting
//	ops  nic.Set, nic.Clear               the items of the configuration in use
//	     store.Read                       the files
//	     web.Send                         the controller's ping (through controllerconn)
//
// A configuration in use is either under verification or watched:
//
//	            a new one, second failure, time to look for a better one
//	   ┌───────────────────────────────────────────────────────────────┐
//	   ▼                                                               │
//	ASYNC_WAIT ──applied──▶ test ──controller answers──▶ SUCCESS ──────┤
//	   ▲                    │ │  └─controller at fault─▶ REMOTE_WAIT ──┤ watched: a test every
//	   │     something lacks│ │ nothing lacks                          │ interval and 1 s after
//	   │                    ▼ ▼                                        │ a link or address changed
//	   │   PCI_WAIT, INTF_WAIT, FAIL_WITH_IPANDDNS ──no other──────────┤
//	   │   IPDNS_WAIT            or FAIL             is testable:      │
//	   │   │  │ ▲               │    ▲              parked            │
//	   │   │  └─┘ change, 30 s  │    │ limit                          │
//	   │   └────────────────────│────┘                                │
//	   └────────────────────────┘ the next one that may be tested
//
// Waits count from the start of the verification, in units of timer.port.testduration (D): 2 D for
// the items to be applied, for an adapter to come back from PCIBack and for an interface to appear,
// 5 D for an address and a name server. The phase of "test" is in no state: while it runs the state
// before it stands.
//
// Verdicts go to flash when they change, times with them, so that a calm device writes nothing.
//
// EVE: a lost carrier or a new address leads to a test after one second; in EVE only the timer
// does.
// EVE: a failure is left alone for five minutes of the time since boot, not of the wall clock.
// EVE: bonds, wireless ports, 802.1X, PAC and WPAD give an error on the port; the rest is applied.
package nim
