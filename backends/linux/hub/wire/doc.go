// Package wire is what a hub and the processes of agents say to each other over a stream socket:
// frames of a length, a kind and a body.
//
// A process says Hello and names its agents, what they publish, subscribe to and call. The hub says
// Welcome, or why it refuses, and then a State with all that the topics hold; then the process says
// all that its own tables hold (Tables). From there on each side tells what moved: the process a
// Turn for each turn, a Call or a Cancel; the hub a State with the newest of every topic, the ends
// of calls and which turns are durable.
//
// Rows travel as JSON, which is encoded once, by their publisher: a hub and a subscriber of other
// versions lose no field they do not know. Topics go by their place in Hello.
package wire
