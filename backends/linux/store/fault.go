package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/store"
)

// Errors that say more than that the disk failed.
var (
	errLarge   = errors.New("it is too large")
	errLocked  = errors.New("the vault is locked")
	errFormat  = errors.New("not an image of its format")
	errCorrupt = errors.New("it does not have its hash")
)

// fault is an error as callers get it.
func fault(what string, err error) *agent.Fault {
	code, retry := device.FaultIO, true
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = agent.FaultCancelled
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		code = device.FaultNoSpace
	case errors.Is(err, fs.ErrNotExist):
		code = device.FaultMissing
	case errors.Is(err, errCorrupt):
		code = device.FaultCorrupt
	case errors.Is(err, errFormat):
		code, retry = device.FaultFormat, false
	case errors.Is(err, errDataset), errors.Is(err, errLarge),
		errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENOTDIR),
		errors.Is(err, unix.ENAMETOOLONG):
		code, retry = device.FaultRefused, false
	}
	return &agent.Fault{Code: code, Text: fmt.Sprintf("%s: %v", what, err), Retry: retry}
}

// refusal is a fault that no repeat heals.
func refusal(code, format string, args ...any) *agent.Fault {
	return &agent.Fault{Code: code, Text: fmt.Sprintf(format, args...)}
}

// missing is the fault of what is not there now.
func missing(format string, args ...any) *agent.Fault {
	return &agent.Fault{Code: device.FaultMissing, Text: fmt.Sprintf(format, args...), Retry: true}
}
