// Package fleet holds what a controller knows: onboarding certificates, devices with their
// certificates and configurations, and what the devices reported. Beside the records stands Draft,
// which builds configurations in Go.
//
// A Fleet may be used from several goroutines. It draws nothing and reads no clock: identifiers
// derive from the fleet's seed and from names, times are passed in. So the same requests at the
// same times give the same fleet.
//
// Everything is bounded: the newest state of each entity a device reports on, a history in bytes
// and a number of requests per device (Options).
package fleet
