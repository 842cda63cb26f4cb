// Command zedbox is all the processes of a device in one program. Its name, or its first argument,
// says which:
//
//	device-steps   keeps the hub and a process per agent: the whole device
//	hub            tables, journal and parts, with EVE's files and sockets to look at
//	nim, zedagent  an agent of the roster, as a client of the hub
//	all            hub and agents in this one process
//	status         what runs: processes, restarts, parts
//	ipcmonitor     rows of the device as they change
//	version        the revision it was built from
//
// "evetwin tui --root" looks at it, at run/tui.sock, and EVE's terminal UI at run/monitor.sock.
//
// All take --root, the folder below which run, persist and config lie; a device has it at "/".
// With --record each process writes down its agents' turns, for "evetwin replay" to step through.
//
// Parts of the device that have no implementation on Linux here are models, and status says so. To
// models a network belongs, and --outside says what stands in it.
package main
