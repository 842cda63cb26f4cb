// Package tpmmgr makes the device's key and certificate, and publishes the certificates of the
// device's keys. Keys never leave the TPM, or the part that stands in for it.
//
//	in   tpm/KeySeen             keys that exist, with their certificates
//	in   tpm/TpmSeen             the module
//	in   clock/ClockSeen         whether the time can be trusted: certificates need it
//	out  tpmmgr/EdgeNodeCert     certificates of the device's keys; persistent
//	out  tpmmgr/TpmStatus        where the device key lives, and whether it is there
//	op   tpm.Create              make or restore the device key
//
// The time is right once the clock was set or runs on a battery, or when nobody has set it for six
// minutes, unless it stands at its beginning.
//
//	unknown ──keys looked for──▶ missing ──time is right──▶ creating ──▶ ready
//	                                ▲                           │
//	                                └──── 10 s to 5 min ────────┘ failed
package tpmmgr
