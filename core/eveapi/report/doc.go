// Package report builds the messages in which a device tells its controller what it is and does,
// from rows: one pure function per kind of message. Rows in, messages out; nothing is asked for
// and nothing is remembered.
//
//	Device, App, Instance,      the state of one entity
//	Volume, ContentTree, Blob
//	Gone                        the last word on an entity: its identifier alone
//	Metrics                     counters and gauges of the whole device
//	Body                        an info message as payload, with a checksum that tells news
package report
