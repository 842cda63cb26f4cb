// Package twin puts whole twins together: a controller with datastores, and devices made of the
// agents of the roster on simulated hardware. It is the one place, beside cmd and e2e, where
// agents, backends and controller meet.
//
// A Site is all that is outside of devices. A Device is one device in a virtual world. Live is a
// device in real time.
package twin
