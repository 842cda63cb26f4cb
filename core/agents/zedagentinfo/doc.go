// Package zedagentinfo tells the controller the state of the device and of all that runs on it, in
// a message per entity. It runs and publishes as zedagent-info.
//
//	in   zedmanager/AppInstanceStatus         applications
//	in   zedrouter/NetworkInstanceStatus      network instances
//	in   volumemgr/VolumeStatus,              volumes, content trees and blobs
//	     ContentTreeStatus, BlobStatus
//	in   msrv/AppInstMetaData                 what applications told of themselves
//	in   zedagent/ZedAgentStatus, ConfigItemValueMap, ConfigItemStatus, EdgeNodeInfo;
//	     nodeagent/NodeAgentStatus; nim/DeviceNetworkStatus, DevicePortConfigList;
//	     domainmgr/AssignableAdapters, HostMemory, Capabilities; tpmmgr/TpmStatus;
//	     hyper/HostSeen; boot/BootSeen, PartSeen; store/SpaceSeen, FileSeen   the device
//	in   zedclient/OnboardingStatus           nothing is told before there is a UUID
//	out  zedagent-info/Reported               which state of which entity was noticed
//	out  zedagent-info/MetricsMap             counters of its exchanges
//	ops  those of package controllerconn
//
// An entity:
//
//	            row changed             a second later, queue free              answer
//	noticed ───────────────────▶ due ───────────────────────────▶ under way ───────────▶ told
//	   ▲                          ▲ ▲         message built                               │ │
//	   │                          │ └──── refused: 1 to 15 min ──────┘                    │ │
//	   └──────── row gone: the message holds the identifier alone, then it is forgotten ──┘ │
//	                              └──────── row changed, new epoch of the controller ───────┘
//
// The device itself is due when one of its rows changes, and at the latest every 0.8 to 1.2 times
// timer.deviceinfo.interval. A message that would say the same as the one before is not sent, but
// for that ticker's. After a crash of the agent everything is told again, and so it is a while
// after a boot or a step of the clock, when what was under way before has arrived.
package zedagentinfo
