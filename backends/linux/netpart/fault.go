package netpart

import (
	"context"
	"errors"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
)

// Refusal is an error that has a code of its own.
type Refusal struct{ Code, Text string }

// Error is the text.
func (r *Refusal) Error() string { return r.Text }

// Refuse is the error of a spec that makes no sense. The codes of nic are those of bridge, too.
func Refuse(text string) error { return &Refusal{nic.FaultRefused, text} }

// Missing is the error of an item whose base is not there.
func Missing(text string) error { return &Refusal{nic.FaultMissing, text} }

// Busy is the error of an item that cannot go while another one stands on it.
func Busy(user string) error { return &Refusal{nic.FaultBusy, user + " stands on it"} }

// Lacks is the error of what this kernel cannot do.
func Lacks(feature string) error {
	return &Refusal{nic.FaultUnsupported, "this kernel lacks " + feature}
}

// Fault is the outcome that stands for an error. What the kernel does not say more about is tried
// again.
func Fault(err error) *agent.Fault {
	f := &agent.Fault{Code: nic.FaultFailed, Text: err.Error(), Retry: true}
	var r *Refusal
	var none netlink.LinkNotFoundError
	switch {
	case errors.As(err, &r):
		f.Code = r.Code
		f.Retry = r.Code == nic.FaultMissing || r.Code == nic.FaultBusy
	case errors.Is(err, context.Canceled):
		f.Code = agent.FaultCancelled
	case errors.As(err, &none), errors.Is(err, unix.ENODEV):
		f.Code = nic.FaultMissing
	}
	return f
}
