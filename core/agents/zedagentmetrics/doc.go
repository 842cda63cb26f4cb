// Package zedagentmetrics sends the counters and gauges of the device and its applications. It
// runs and publishes as zedagent-metrics.
//
//	in   zedagent/ConfigItemValueMap   timer.metric.interval
//	in   zedclient/OnboardingStatus    nothing is sent before there is a UUID
//	in   zedmanager/AppInstanceStatus, zedrouter/NetworkInstanceStatus, volumemgr/VolumeStatus,
//	     volumemgr/VolumeMgrStatus, nim/DeviceNetworkStatus, zedagent/ZedAgentStatus,
//	     domainmgr/HostMemory, store/SpaceSeen, zedagent-flowlog/FlowlogMetrics,
//	     MetricsMap of all agents: what is reported
//	out  zedagent-metrics/Sample       counters as they were sampled last
//	out  zedagent-metrics/MetricsMap   counters of its own exchanges
//	op   nic.Counters, bridge.Counters, hyper.Usage, and those of package controllerconn
//
//	waiting ──0.3 to 1.0 x interval──▶ sampling ──all queries over──▶ sending ──answer or none──┐
//	   ▲                                                                                        │
//	   └────────────────────────────────────────────────────────────────────────────────────────┘
//
// A message that does not get through is not sent again: the next one says it all. Each one tells
// for how long the device may be silent, three intervals; so a longer interval holds only once a
// message that tells of it has been accepted, and a shorter one at once.
//
// Counters never go back while the device is up, though an interface or guest that is made anew
// counts from zero: Sample keeps what was counted before.
package zedagentmetrics
