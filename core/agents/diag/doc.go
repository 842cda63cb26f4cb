// Package diag reports on the device's connectivity for the person in front of it: what the light
// means, which port configurations there are, what each port has and lacks, and whether the
// controller can be reached. It changes nothing and never speaks through the light.
//
//	in   ledmanager/LedStatus             what the light says
//	     nim/DeviceNetworkStatus          the ports
//	     nim/DevicePortConfigList         the configurations
//	     nim/PortConfigFile               files that were refused
//	     zedclient/ClientStatus, OnboardingStatus, zedagent/ZedAgentStatus
//	     zedagent/ConfigItemValueMap      where to probe
//	     store/FileSeen                   /config/server
//	out  diag/DiagSection                 lines with PASS, INFO, WARNING or ERROR
//	ops  web.Send, store.Read
//
// It sends something only while nim finds the controller out of reach: then each management port
// with an address asks two well-known servers, by HTTP and by HTTPS, to tell a broken network from
// a broken controller. The ports are asked again up to five times, after 1, 2, 4, 8 and 16 minutes.
//
//	quiet ──nim: FAIL──▶ probing ──all answered or failed──▶ resting ──time──▶ probing
//	  ▲                                                        │
//	  └───────────────────nim: something else──────────────────┘
package diag
