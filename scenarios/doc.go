// Package scenarios lists what evetwin knows to show: each scenario is a behaviour as a Go function
// over whole twins. Run them with "evetwin run NAME"; write your own with package scenario.
package scenarios
