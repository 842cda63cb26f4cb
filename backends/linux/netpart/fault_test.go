package netpart

import (
	"context"
	"fmt"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/nic"
)

// TestFault checks the codes of errors, by the contracts of both parts.
func TestFault(t *testing.T) {
	for _, x := range []struct {
		err         error
		nic, bridge string
		retry       bool
	}{
		{Refuse("no address"), nic.FaultRefused, bridge.FaultRefused, false},
		{Missing("there is no eth9"), nic.FaultMissing, bridge.FaultMissing, true},
		{Busy("dhcp/eth0"), nic.FaultBusy, bridge.FaultBusy, true},
		{Lacks("VLAN"), nic.FaultUnsupported, bridge.FaultUnsupported, false},
		{netlink.LinkNotFoundError{}, nic.FaultMissing, bridge.FaultMissing, true},
		{unix.ENODEV, nic.FaultMissing, bridge.FaultMissing, true},
		{unix.EINVAL, nic.FaultFailed, bridge.FaultFailed, true},
		{context.Canceled, agent.FaultCancelled, agent.FaultCancelled, true},
	} {
		err := fmt.Errorf("set it: %w", x.err)
		f := Fault(err)
		if f.Code != x.nic || f.Code != x.bridge || f.Retry != x.retry || f.Text != err.Error() {
			t.Errorf("the fault of %q is %+v, want %s or %s, retry %v", err, *f, x.nic, x.bridge,
				x.retry)
		}
	}
}
