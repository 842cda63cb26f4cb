// Package zedbox keeps the processes of a device: it starts them in the order of a graph, restarts
// what dies, watches that their loops turn, and stops them with manners.
//
//	device-steps          this package's supervisor
//	├── zedbox            the hub with the device's parts: first up, last down
//	└── nim, zedagent …   one process per agent, once the hub is ready
//
// What the supervisor waits for is said by the processes themselves, over a pipe: that they are
// ready, and from then on that their loops turn. There are no sleeps in between. What it knows is
// a file that tools read (Status).
//
// Below the root folder lie EVE's files:
//
//	run/<agent>.pid           the process; locked while it lives
//	run/<agent>.touch         its time of change says when the agent's loop last turned
//	run/watchdog/{pid,file}   what a watchdog daemon is to look at, as EVE registers it
//	run/zedbox/               the hub's socket, links of the agents' names to the program, status
//	persist/, config/         what outlives the power
//
// EVE: device-steps.sh waits in steps of 3 and 10 seconds for touch files, and one failure of an
// agent ends all of them. Here an agent that dies is started again and finds its tables in the hub.
package zedbox
