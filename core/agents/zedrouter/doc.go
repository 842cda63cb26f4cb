// Package zedrouter connects applications: it makes a bridge for every network instance, with
// address service, name service and translation towards its ports, and attaches the interfaces of
// guests to it with their access rules and port maps.
//
//	in   zedagent/NetworkInstanceConfig    instances wished
//	     zedmanager/AppNetworkConfig       interfaces of applications wished
//	     zedagent/AppInstanceConfig        who keeps a number while not connected yet
//	     zedagent/PhysicalIOAdapterList    which ports are wireless
//	     nim/DeviceNetworkStatus           ports: labels, addresses, routers, name servers, MTU
//	     zedclient/OnboardingStatus        the device's UUID, for addresses of bridges
//	     bridge/ItemSeen, VifSeen          what is applied, and which guests are there
//	out  zedrouter/NetworkInstanceStatus   what became of an instance
//	     zedrouter/AppNetworkStatus        what became of the interfaces of an application
//	     zedrouter/UuidToNum               numbers of bridges and applications, on flash
//	     zedrouter/AppInterfaceToNum       numbers of interfaces on instances, on flash
//	ops  bridge.Set, bridge.Clear          items, by the plan of package plan
//
// A network instance:
//
//	             no error that blocks,          bridge, service
//	config ────▶ its ports are known ─────▶ UP ─and NAT applied──▶ ACTIVE ──its port goes: stays
//	   ▲  │                                                        │    ▲
//	   │  └─ blocked: configuration, number, port, subnet          │    │ the conflict ends
//	   └──── what stood in the way goes                            ▼    │
//	                                               conflict: no address, guests cut off
//	deleted: UP or ACTIVE until its last interface is gone, then its items go, then its status
//
// An application:
//
//	            its instances are active,          interfaces applied,
//	config ────▶ no interface has an error ──▶ UP ─addresses reserved──▶ ACTIVE
//	   ▲  │                                                               │
//	   │  ├─ AwaitNetworkInstance                    a bad edit: the interface stays as applied
//	   │  └─ error: rule, address, port map, name
//	   └──── looked at anew with every change of anything it depends on
//
// Whoever competes for a subnet, a port, a mapped port or a name: what is active as it is wished
// has it, then what is active and was edited, then the lower number. What is active and gets a bad
// configuration keeps the last good one, and says so.
//
// Numbers decide addresses: bridge bn<n>, interface nbu<i>x<app>, guest address = start of the
// range plus the number of the interface. They are on flash before anything shows them, since a
// turn is durable before it is visible. The number of a bridge or an application that is gone is
// its own for five more minutes, unless all are taken.
//
// Only what is gone from a complete table is taken down; what is applied for an application or
// instance that is merely not known yet is left alone.
//
// Of several ports that a route may take, one that is up and has an address is taken, the cheapest
// of those. Whether anything answers behind a port is not probed.
//
// EVE: a bad access rule fails its interface; EVE leaves out the rule.
// EVE: a single-port switch has a bridge of its own over the port, whatever else uses that; EVE
// puts its guests on nim's bridge. Access VLANs are handed down; VLAN filtering of ports is not
// wished.
// EVE: numbers of applications that are configured but not yet connected after a boot are kept.
// EVE: cloud, mesh and other types of instances give an error on the instance and on applications.
package zedrouter
