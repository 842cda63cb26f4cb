// Package nodeagent is in charge of the node's life: it finds out why the device booted, carries
// out reboot, shutdown and power off, reboots when the controller was out of reach for too long,
// and keeps the local reasons for maintenance mode.
//
//	in   boot/BootSeen, PartSeen       how this boot came about; the running partition
//	in   zedagent/ZedAgentStatus       commands, and whether the controller is in reach
//	in   zedagent/ConfigItemValueMap   timers
//	in   zedclient/OnboardingStatus    timers count once the device is onboarded
//	in   domainmgr/DomainStatus        guests that still run
//	in   volumemgr/VolumeMgrStatus     space for applications
//	out  nodeagent/NodeAgentStatus     the node, for all agents and the controller
//	out  nodeagent/NodeOperation       an operation under way, once per kind and boot
//	out  nodeagent/Reach               since when the controller is out of reach
//	op   boot.SetReason, power.Reset
//
// An operation:
//
//	announced ──30 s──▶ reason recorded ──guests off, or 300 s──▶ halted ──30 s──▶ reset
//	                    (not of a shutdown)                          └─ a shutdown ends here
package nodeagent
