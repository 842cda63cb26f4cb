// Package snapshot saves a run at an instant and goes on from there: the same run, or a fork of it
// with the draws of another seed, other faults, another configuration.
//
// Nothing of a world's state is saved. A run in virtual time is a function of its scenario, its
// seed, its faults and the code, so the file holds those, and the instant; whoever goes on runs all
// of it again up to there, in a fraction of a second. The file also holds the trace hash at the
// instant: code that no longer comes to that state is told so, instead of showing something else.
package snapshot
