// Package fault says what goes wrong around a device, and when, as data.
//
// A Fault is one thing that goes wrong: a kind, a time, how long, and what it is about. A Plan is a
// list of them, JSON that people can read and change. Each fault of a plan stands for itself: it is
// at a fixed time, or is about the n-th run of an op or write of a record since then, so leaving
// others out does not move it. That is what makes a plan that breaks something shrink.
//
// Draw makes a plan of a seed, a Profile (how often what happens at a site) and a Menu (what a
// device and its outside offer). Every draw has a key of its own: seed, kind and index.
//
// This package only says what is to happen. Whoever runs a device carries a plan out; a fault that
// has nothing to act on is left out there, and is no error.
package fault
