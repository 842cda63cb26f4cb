// Package led is the part led on a Linux machine: a light of the kernel, in /sys/class/leds, or the
// console where there is none.
//
// The kernel's own triggers are turned off ("none"), and the pattern is made here: so many times
// 200 ms on and 200 ms off, then 1200 ms off, again and again, by one timer of its own. A light
// that was found with a trigger gets it back when the part is closed. Files of sysfs tell nobody of
// changes, so a pattern is written over whatever others do.
package led
