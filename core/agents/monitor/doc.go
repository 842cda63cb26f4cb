// Package monitor carries out what the person in front of the device asks for. It is the one writer
// of such requests: no terminal writes a topic.
//
//	in   operator/RequestSeen            what is asked for
//	     nim/DeviceNetworkStatus         which port configuration is in use
//	     nim/DevicePortConfigList        the configurations
//	     zedclient/OnboardingStatus      an onboarded device keeps its controller
//	out  monitor/DevicePortConfig        what was configured by hand, key "manual"; persistent
//	     monitor/OperatorRequestStatus   what became of each request; the newest stay
//	ops  store.SetServer                 another controller
//	     operator.Answer                 how a request ended
//
// A request is carried out once: that it was stands in its status, which is put together with what
// it asked for. It is answered until it is gone.
//
//	asked ──wrong, or not allowed──▶ refused ──answered──▶ gone
//	  │                                            ▲
//	  ├──SetInterfaceConfig, RevertManualConfig──▶ done
//	  │                                            ▲
//	  └──SetServer──▶ running ──written────────────┘   (not written: refused)
//
// SetInterfaceConfig changes one port of what was configured by hand before, else of the
// configuration in use. nim puts it before all others, tests it, and does not go past it: whether
// it works shows in DeviceNetworkStatus, and it stays until it is replaced or reverted.
//
// EVE: fields are checked, and the answer names those that are wrong; EVE takes everything.
// EVE: an onboarded device refuses SetServer; in EVE only the terminal does.
// EVE: a second change of an interface builds on the first one also before nim has taken that in.
package monitor
