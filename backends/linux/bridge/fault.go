package bridge

import (
	"context"
	"errors"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// refusal is an error that has a code of its own.
type refusal struct{ code, text string }

func (r *refusal) Error() string { return r.text }

func refuse(text string) error { return &refusal{device.FaultRefused, text} }

func missing(text string) error { return &refusal{device.FaultMissing, text} }

func lacks(feature string) error {
	return &refusal{device.FaultUnsupported, "this kernel lacks " + feature}
}

// fault is the outcome that stands for an error. What the kernel does not say more about is tried
// again.
func fault(err error) *agent.Fault {
	f := &agent.Fault{Code: device.FaultFailed, Text: err.Error(), Retry: true}
	var r *refusal
	var none netlink.LinkNotFoundError
	switch {
	case errors.As(err, &r):
		f.Code = r.code
		f.Retry = r.code == device.FaultMissing || r.code == device.FaultBusy
	case errors.Is(err, context.Canceled):
		f.Code = agent.FaultCancelled
	case errors.As(err, &none), errors.Is(err, unix.ENODEV):
		f.Code = device.FaultMissing
	}
	return f
}
