// Package parse turns the sections of an EdgeDevConfig into rows, one pure function per section.
//
// A configuration is never rejected as a whole because a part of it is wrong: what is wrong
// stands as an error in the row of the object it is about, and the rest applies. So no function
// here returns an error. Each is total: nil messages, unknown enum values, malformed UUIDs,
// duplicates and absurd sizes all end in an error text, not in a panic, and what it returns fits
// the limits of its topic (MaxObjects rows, MaxRow bytes in each).
//
// An object without a usable UUID gets a made-up one, "malformed-" and a digest, so that its
// error has a row to stand in.
//
// Secrets do not come into this package: a configuration is stripped of them by the part that
// brought it (package secret), and rows have the references that stand in their places.
//
//	DeviceIO, Networks, Bonds, VLANs   what ports stand on
//	Ports                              system adapters on them, cross-checked: a DevicePortConfig
//	Datastores, ContentTrees, Volumes  storage
//	Instances, Apps                    network instances and applications
//	Base                               commands, names, epoch: what concerns the device as a whole
package parse
