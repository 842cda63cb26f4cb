// Package msrv is the metadata service: it works out what each application finds at
// http://169.254.169.254/ and has the part bridge serve it, and hands on to the controller what
// applications post there.
//
//	in   zedrouter/AppNetworkStatus        addresses of applications, who may discover others
//	     zedrouter/NetworkInstanceStatus   ports of instances
//	     zedmanager/AppNetworkConfig       type of metadata, user data
//	     zedagent/AppInstanceConfig        whose posts are kept
//	     nim/DeviceNetworkStatus           addresses of ports
//	     zedagent/EdgeNodeInfo, zedclient/OnboardingStatus   names of the device
//	     diag/DiagSection                  the report on the device's connectivity
//	     bridge/OfferSeen                  what is served
//	     bridge/PostSeen                   what was posted
//	out  msrv/AppInstMetaData              what applications told, on flash
//	ops  bridge.Offer                      what is to be served
//
// There is an offer for each address of an application on a local network instance, one for all
// applications, and one for strangers. An offer:
//
//	address given        bridge.Offer                 seen as wished
//	────────────▶ wished ───────────▶ under way ─────────────────────▶ served
//	                ▲                    │ a fault that may go away        │
//	                └────── 10 s ────────┘                                 │
//	                ▲                   something it tells of changed      │
//	                ├──────────────────────────────────────────────────────┤
//	withdrawn ◀─────┴── the application's network is gone from a complete table
//
// A post becomes a row at once, and then every ten seconds at most, since each is written to flash;
// the newest counts. The row is deleted when the application is not configured any more.
//
// A guest is known by the address that it was given. User data stays a reference, which the part
// resolves when it serves it.
//
// EVE: posts are rows as soon as they come.
// EVE: caller-ip has the port of the request, too; strangers are told the names of the device.
// EVE: location, cellular state and the counters of ports are served as long as the device knows
// any; here it never does, and so it is for patch envelopes, custom blobs and the TPM.
package msrv
