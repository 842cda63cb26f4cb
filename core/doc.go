// Package core is the portable part of evetwin: no operating system below it, no clock, no
// goroutine.
//
//	agent/           what an agent is: Step, Turn, calls of ops
//	bus/             typed tables from one publisher to many subscribers
//	topics/          the row types, one package per subject, the owner named in each topic
//	device/          the hardware contract: ops and observed topics, one package per part
//	agents/          the agents, one package each; agents/roster lists their constructors
//	plan/            from intended, seen and in flight to calls wanted and dropped
//	controllerconn/  the one sender to the controller that all agents share
//	eveapi/          the device API: envelopes and messages, bytes in and bytes out
//	host/            what both hosts share; host/sim in virtual time, host/live in real time
//	trace/           record and compare what agents were told and did
//	archtest/        tests that enforce the shape of the tree
//
// Imports go one way: topics and device stand on bus and agent; agents on all of the above but
// hosts; hosts and backends on anything here but agents. An agent never imports another.
package core
