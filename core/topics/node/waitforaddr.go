package node

import (
	"net/netip"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// WaitForAddrStatus says whether the device has got, or given up waiting for, its first address,
// and whether its clock was set from the network. Owner: waitforaddr. In EVE waitforaddr is a
// program that ends; here Ready stands for its end.
type WaitForAddrStatus struct {
	Step     string     // "waiting for an address", "setting the clock", "done"
	Ready    bool       // stays until the next boot
	Addr     netip.Addr // the first usable address of a management port; zero: none came in time
	ClockSet bool       // the clock was set from the network in this boot
	entity.ErrorAndTime
}

// Key is "global".
func (WaitForAddrStatus) Key() string { return entity.Global }

// WaitForAddr is waitforaddr's topic.
var WaitForAddr = bus.NewTopic[WaitForAddrStatus](bus.Decl{
	Owner: "waitforaddr", Name: "WaitForAddrStatus"})
