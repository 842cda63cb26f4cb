// Package boxtest runs the program zedbox as a whole device: its processes against the bundled
// controller, killed and stopped.
package boxtest
