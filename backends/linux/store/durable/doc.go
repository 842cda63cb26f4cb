// Package durable writes files so that a power cut leaves the old content or the new one, and
// nothing else under the file's name.
//
//	open temporary ─▶ write ─▶ sync ─▶ rename over the name ─▶ sync the folder
//
// A temporary file has a name that begins with Prefix and lies in the folder of the file, where
// Sweep finds what a power cut has left. Each step passes Disk.Before, by which tests cut the power
// or break the disk there.
package durable
