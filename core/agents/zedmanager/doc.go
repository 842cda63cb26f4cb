// Package zedmanager is the agent that drives the life of application instances. It asks volumemgr,
// zedrouter and domainmgr, in this order, for what each application needs, and withdraws it in
// reverse order.
//
//	in   zedagent/AppInstanceConfig, zedagent/ZedAgentStatus, zedagent/ConfigItemValueMap
//	in   nodeagent/NodeAgentStatus         whether the device goes down
//	in   volumemgr/VolumeRefStatus         how far volumes are
//	in   zedrouter/AppNetworkStatus        how far the network of an application is
//	in   domainmgr/DomainStatus, domainmgr/HostMemory, hyper/HostSeen
//	out  zedmanager/VolumeRefConfig, zedmanager/AppNetworkConfig, zedmanager/DomainConfig
//	out  zedmanager/AppInstanceStatus, zedmanager/AppInstanceSummary
//	out  zedmanager/UuidToNum              purge counters carried out (persistent)
//	own  zedmanager/AcceptedConfig         the configuration in force of each application
//	own  zedmanager/Outlook                profile, time base of start delays
//	own  zedmanager/Ledger                 what applications see of each other
//	own  zedmanager/ActiveApp              who ran when the device went down (persistent)
//
// A configuration is accepted or refused as a whole: what needs a restart or a purge is refused
// without the command. Each turn walks an application to the first thing that is not done yet:
//
//	INITIAL … LOADED ─▶ CREATING_VOLUME ─▶ CREATED_VOLUME ─▶ INSTALLED      volumes
//	INSTALLED ─▶ AWAITNETWORKINSTANCE ─▶ START_DELAYED ─▶ BOOTING ─▶ RUNNING  memory, network, guest
//	RUNNING ─▶ HALTING ─▶ HALTED                                           not active, or a restart
//
//	restart   none ─counter─▶ bring down ─guest is off─▶ bring up ─RUNNING─▶ none
//	purge     none ─counter─▶ download and verify ─all LOADED─▶ bring down ─guest, network off─▶
//	          recreate volumes ─all CREATED─▶ bring up ─RUNNING─▶ none
//
// While a guest may run, what it runs with does not change: disks, interfaces and resources are
// taken from the configuration when it is off. Access rules change at once.
package zedmanager
