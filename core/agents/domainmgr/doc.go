// Package domainmgr runs guests: it turns wished domains into calls of the hypervisor, watches what
// becomes of them, and gives adapters of the device to one application at a time.
//
//	in   zedmanager/DomainConfig         guests wished
//	     zedagent/AppInstanceConfig      whose running guest is not to be taken for a stray
//	     zedagent/PhysicalIOAdapterList  the device model
//	     zedagent/ConfigItemValueMap     timer.boot.retry, debug.enable.usb, debug.enable.vga
//	     nim/DeviceNetworkStatus         which adapters are ports of the host
//	     nic/LinkSeen                    addresses of network adapters
//	     hyper/DomainSeen, HostSeen, AdapterSeen
//	out  domainmgr/DomainStatus          what became of a guest
//	     domainmgr/AssignableAdapters    adapters, who has them, what is wrong with them
//	     domainmgr/HostMemory, Capabilities
//	ops  hyper.Create, Start, Stop, Delete, Bind
//
// A guest:
//
//	INSTALLED ──activate──▶ adapters ──▶ BOOTING ──create 3x, start──▶ RUNNING ◀── adopted
//	    ▲                   taken and     │  ▲                          │  │
//	    │                   bound         │  │ timer.boot.retry         │  │ deactivate, delete
//	    │                      fails: BROKEN │     off by itself: HALTED│  ▼
//	    │                                 └──┴──────────────────────────┘ HALTING
//	    │                                        a container died: BROKEN,  │ power button, force,
//	    │                                        until it is deactivated    │ destroy
//	    └───────────────activate────────────────────── HALTED ◀─────────────┘ adapters free
//
// A domain that is off is deleted, and each run is a new domain: its spec carries the number of the
// run. What runs is adopted by the application in its spec and never touched while it is wished,
// even if the wish has changed: that is for the next start. That the agent stops a guest itself
// stands in its status (HALTING) before the stop is called, so that nobody takes it for a crash,
// not even after a crash of the agent.
//
// Stopping, by the way the guest is virtualized:
//
//	HVM, FML        power button 60 s, then force, then delete
//	PV              power button 600 s, then delete
//	LEGACY, NOHYPER delete
//
// Each later step has 600 s; with the configuration deleted 60 s take the place of 600 s.
//
// Adapters go by assignment group, widened by what sits on the same PCI controller. A group belongs
// to an application from before its guest is made until the guest is gone.
//
// EVE: an adapter that nobody has stays with the host; EVE binds it away at once.
// EVE: a virtual machine that died is started anew like one that turned itself off.
package domainmgr
