// Command evetwin is the laptop tool: a whole EVE device, its controller and its network in one
// program.
//
//	evetwin up          boot a device in real time and bring it to a running application
//	evetwin run         run scenarios
//	evetwin replay      run the agents from a recording, look at it, ask it why
//	evetwin try         a dry run of a configuration in virtual time
//	evetwin bench       measure
//	evetwin controller  the controller alone
//	evetwin tui         look at a running device
//	evetwin doctor      what works on this machine, and what a missing part costs
//
// With --json each prints one object per line on stdout and nothing else there; errors and progress
// go to stderr. Exit 0: all well. 1: something is not. 2: usage, or input that is refused.
package main
