// Package world is the simulated network around one device: cables, switches, VLANs, DHCP
// and router advertisements, DNS, routers, a firewall, HTTP servers, proxies, the controller
// and the Internet behind them.
//
// It is pure. There is no goroutine, no clock and no random source: each call gets the time,
// and returns its answer together with the latency the answer took. It is up to the caller
// to let that time pass, and to give up earlier if the cable is pulled meanwhile. What is
// left to chance is asked of Options.Draw with a key that names the link or flow, and a
// number made of the instant and the index of the draw: no counter is shared, so a newcomer
// on the same link moves nobody's luck, and the same inputs give the same outputs.
//
// Two parts:
//
//   - Parse reads a network model, the JSON that Eden's SDN reads too, checks all of it and
//     names file, field and label of each mistake. Default makes a model for those who have
//     none.
//   - New builds a World from a Model. Device parts (nic, web) attach to its ports by label.
//
// A World is not safe for concurrent use: one world belongs to one simulation loop.
//
// Latency: 0.1 ms per cable and direction plus the port's own delay and jitter; 10 to 30 ms
// per round trip to a host of the outside, a constant of that host. A transfer takes its size
// divided by the port's rate (125 MB/s if the model sets none); a burst passes at full speed.
// Loss costs retransmissions that double from one second, and in the end a timeout; corrupted
// packets count as lost, duplicated or reordered ones change nothing that a stream would see.
// The queue limit has no effect, and two transfers at once do not slow each other down.
package world
