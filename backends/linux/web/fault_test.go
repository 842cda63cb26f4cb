package web

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
)

// Errors come wrapped by net/http, whose own idea of a timeout sees only one layer deep.
func TestErrorsHaveTheirCodes(t *testing.T) {
	wrapped := func(err error) error {
		return &url.Error{Op: "Get", URL: "http://x/", Err: fmt.Errorf("connect to x:80: %w",
			&net.OpError{Op: "dial", Net: "tcp", Err: err})}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{os.ErrDeadlineExceeded, device.FaultTimeout}, {unix.ETIMEDOUT, device.FaultTimeout},
		{unix.ECONNREFUSED, device.FaultConnRefused}, {unix.ECONNRESET, device.FaultReset},
		{unix.EHOSTUNREACH, device.FaultUnreachable}, {unix.EINVAL, device.FaultUnreachable},
		{unix.EADDRNOTAVAIL, device.FaultNoAddress}, {context.Canceled, agent.FaultCancelled},
		{x509.UnknownAuthorityError{}, device.FaultCertUnknown},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, device.FaultCertInvalid},
		{fail(device.FaultNoDNS, "no server"), device.FaultNoDNS},
	} {
		f := fault(context.Background(), "ask", wrapped(c.err))
		if f.Code != c.want || !f.Retry || f.Text == "" {
			t.Errorf("%v: %+v, want code %s", c.err, f, c.want)
		}
	}
}

func TestCauseOfTheEndCounts(t *testing.T) {
	ctx, stop := context.WithCancelCause(context.Background())
	stop(fail(device.FaultStalled, "no byte came"))
	if f := fault(ctx, "fetch", net.ErrClosed); f.Code != device.FaultStalled {
		t.Errorf("%+v", f)
	}
}

func TestContentRanges(t *testing.T) {
	for text, want := range map[string]string{
		"bytes 5-9/10": "5 10 true", "bytes 5-9/*": "5 0 true", "bytes 0-0/1": "0 1 true",
		"": "0 0 false", "bytes */10": "0 0 false", "bytes 5-9": "0 0 false",
		"bytes -5-9/10": "0 0 false", "bytes 10-19/10": "0 0 false", "bytes 5-9/x": "0 0 false",
	} {
		from, size, ok := contentRange(text)
		if got := fmt.Sprint(from, size, ok); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}
