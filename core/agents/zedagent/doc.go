// Package zedagent brings the controller's configuration to the device: it fetches it, keeps the
// last good one on the disk, and publishes it section by section as rows for the agents that
// carry it out.
//
//	in   nodeagent/NodeAgentStatus     why the device booted, whether an update is under test
//	in   nim/DeviceNetworkStatus       whether there is a way to the controller
//	in   zedclient/OnboardingStatus    the device's UUID: nothing is fetched before
//	in   zedclient/ControllerCert      the certificates that onboarding fetched
//	in   store/FileSeen                what is in /config and /persist/checkpoint
//	in   clock/ClockSeen               whether the time can be trusted
//	out  zedagent/ConfigItemValueMap   settings; complete before anything else happens
//	out  zedagent/ConfigItemStatus     settings that were refused
//	out  zedagent/ZedAgentStatus       what it is at, and what it asks of nodeagent
//	out  zedagent/DevicePortConfig, PhysicalIOAdapterList, NetworkInstanceConfig,
//	     DatastoreConfig, ContentTreeConfig, VolumeConfig, AppInstanceConfig, EdgeNodeInfo
//	                                   the configuration; complete once one was applied whole
//	out  zedagent/ControllerCert       the controller's certificates in force
//	out  zedagent/UUIDCheck            asks zedclient whether the controller still knows the device
//	out  zedagent/LedBlinkCounter      what the LED should say
//	out  zedagent/MetricsMap           counters of its exchanges
//	own  zedagent/ConfigState          what outlives a crash of the agent
//	own  zedagent/DeviceOpsCmd         counters of commands carried out; persistent
//	op   store.Read, store.Write       checkpoints
//	     and those of package controllerconn
//
// Settings come first, from the best source there is on the disk:
//
//	lastconfig ─▶ lastconfig.bak ─▶ bootstrap-config.pb ─▶ global.json ─▶ authorized_keys ─▶ defaults
//
// Then it asks the controller, again and again:
//
//	  ┌─────────── 0.3 to 1.0 of timer.config.interval ──────────┐
//	  ▼                                                          │
//	ask ──304, 200 with the hash in force──▶ connected ──────────┤
//	  │ ──200──▶ verified, parsed, applied, saved ──▶ connected ─┤
//	  │ ──certificate unknown──▶ fetch /certs ──▶ ask at once    │
//	  └ ──anything else──▶ once: the saved configuration ────────┘
//
// Configurations come without their secrets, from the controller and from the disk: the parts keep
// those and put references in their places (package eveapi/secret). The signature is verified here
// all the same, over the digest of what came, and a checkpoint names the bytes that the part has.
//
// A configuration is applied in one turn. A section whose checksum did not change is not parsed.
// The hash that stands for "what I have" is kept only after all was applied, so a configuration
// that was refused, or left half applied by a command or by maintenance, is asked for again.
package zedagent
