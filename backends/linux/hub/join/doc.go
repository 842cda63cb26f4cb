// Package join runs agents in a process of their own, as clients of a hub.
//
// The process has a kernel like that of a whole device: turns are transactions, rows are durable
// before they are visible, and visible before calls start. What its agents subscribe to comes from
// the hub, what they publish and call goes there. The time since boot is the hub's.
//
// When the hub goes away the agents keep their tables and go on; turns that are to be durable and
// calls wait. When it is back the process says all that it publishes and wants, whatever was said
// before. The same happens when the hub reads so slowly that what is to be said grows beyond a
// bound.
//
// One loop does all the work of the process: a program that has nothing else to do is fastest with
// GOMAXPROCS=1.
package join
