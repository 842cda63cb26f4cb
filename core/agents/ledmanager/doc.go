// Package ledmanager decides what the status light says and has it shown.
//
//	in   zedclient, zedagent, nim/LedBlinkCounter   what agents have to say
//	     nim/DeviceNetworkStatus                    addresses, radio silence
//	     led/LedSeen                                what the light does
//	out  ledmanager/LedStatus                       the code that shows
//	ops  led.Blink
//
// It has no states: the code is a function of its inputs, and the light is set whenever it does
// something else. Nobody else sets the light.
package ledmanager
