// Package controllersim is a controller for EVE devices: strict about the device API, small enough
// to run inside a simulation, real enough to run a laptop's devices over TLS.
//
// At its heart is one function,
//
//	(*Controller).Handle(now, request) response
//
// which does no I/O, starts nothing, locks nothing and reads no clock. The virtual world calls
// it directly, package httpd puts a TLS server and an admin interface around it, and both get
// the same answers. All keys derive from one seed, and signatures are deterministic (RFC 6979),
// so a run repeats byte by byte. Every signature of a device is verified and every answer is
// signed, each time.
//
// Around it:
//
//	fleet   records of devices, and Draft, the builder of configurations
//	data    datastores: HTTP files and an OCI registry, with content made up on demand
//	store   snapshots of a fleet, in memory and in a file
//	httpd   the TLS server and the admin interface
//
// Codes, where the API leaves a choice: 404 for a path that is none of the API's, 405 for another
// method, 415 for another content type, 400 for a body that is no envelope or whose sender is
// unknown, 401 for a signature that does not verify, 403 for a device at another device's path, 422
// for a message that does not parse.
package controllersim
