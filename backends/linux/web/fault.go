package web

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
)

// failure is an error that is known to be a certain fault.
type failure struct{ fault *agent.Fault }

// Error is the text of the fault.
func (f *failure) Error() string { return f.fault.Text }

// fail makes a failure that may heal by itself.
func fail(code, format string, args ...any) *failure {
	return &failure{&agent.Fault{Code: code, Text: fmt.Sprintf(format, args...),
		Retry: code != device.FaultRefusedURL}}
}

// fault is the outcome that an error of an exchange stands for. What ended the exchange's context,
// if something did, is the cause of whatever error came of it.
func fault(ctx context.Context, what string, err error) *agent.Fault {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var f *failure
	if errors.As(err, &f) {
		out := *f.fault
		if out.Code != device.FaultNoAddress && err.Error() != f.Error() {
			out.Text = what + ": " + err.Error()
		}
		return &out
	}
	return &agent.Fault{Code: code(err), Text: what + ": " + err.Error(), Retry: true}
}

// code says what kind of fault an error is.
func code(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	switch {
	case errors.Is(err, context.Canceled):
		return agent.FaultCancelled
	case errors.As(err, &invalid), errors.As(err, &host):
		return device.FaultCertInvalid
	case errors.As(err, &unknown):
		return device.FaultCertUnknown
	case errors.Is(err, unix.ECONNREFUSED):
		return device.FaultConnRefused
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return device.FaultNoAddress
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, unix.ECONNRESET):
		return device.FaultReset
	case unreachable(err) != "":
		return unreachable(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, unix.ETIMEDOUT):
		return device.FaultTimeout
	}
	return device.FaultReset
}

// unreachable is the code of an error that says that there is no way, empty for others. EINVAL and
// EACCES are what routes say that lead nowhere on purpose.
func unreachable(err error) string {
	for _, no := range []error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN, unix.EINVAL,
		unix.EACCES} {
		if errors.Is(err, no) {
			return device.FaultUnreachable
		}
	}
	var f *failure
	if errors.As(err, &f) && f.fault.Code == device.FaultUnreachable {
		return device.FaultUnreachable
	}
	return ""
}
