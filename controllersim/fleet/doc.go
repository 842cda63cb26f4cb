// Package fleet holds what a controller knows: onboarding certificates, devices with their
// certificates and configurations, and what the devices reported. Beside the records stands Draft,
// which builds configurations in Go.
//
// It draws nothing, reads no clock and starts nothing: identifiers derive from the fleet's seed and
// from names, times are passed in. So the same requests at the same times give the same fleet. One
// goroutine at a time may use a Fleet and its Devices; package httpd sees to that.
//
// Everything is bounded: the newest state of each entity a device reports on, a history in bytes
// and a number of requests per device (Options).
package fleet
