// Package plant brings mistakes of this field's history back into our own agents, one at a time and
// by name, so that it can be shown that the simulator finds them.
//
// An agent asks On where the mistake would be made:
//
//	if plant.On(plant.RetryStorm) {
//		return 0
//	}
//
// Without the build tag "planted" On is false for every name and the compiler leaves the branch
// out. With the tag, one bug at a time is planted by Set, before any device runs: "make planted"
// has each of them found by "evetwin explore --plant NAME", and none where nothing is planted.
//
// To plant your own: add it to the list in this package and ask for it in the agent.
package plant
