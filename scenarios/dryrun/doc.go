// Package dryrun tries a configuration before it meets a real device: "evetwin try".
//
// One device runs in virtual time on given inputs: a device model, the network around it, its
// configuration, files of its identity partition. The bundled controller gives it the configuration
// as soon as it registers, datastores make up what it asks for. It runs until it settles, and the
// report says what it came to: ports, port configurations, network instances, content, volumes,
// applications, and every error that an agent shows.
//
// A device is settled when it is onboarded, has processed its configuration, has nothing in
// progress (no port configuration under test, no download, volume or guest on its way), and for two
// minutes nothing in the report was in a state that it was not in before. So a download that fails,
// waits and fails again counts as settled, for all it does is known; times and counters in the
// texts of errors are no news.
//
// Input that cannot be read is refused before anything runs, with a line that names file, field and
// reason. So is a file of the identity partition that the device itself does not take in.
package dryrun
