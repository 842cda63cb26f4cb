package tpm_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/eventlog"
	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
)

// chip starts a software TPM.
func chip(t *testing.T) *swtpm.TPM {
	t.Helper()
	labtest.Program(t, "swtpm")
	sockets, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	on, err := swtpm.Open(t.Context(), swtpm.Options{Dir: t.TempDir(), SocketDir: sockets.Path})
	if err != nil {
		t.Fatal(errors.Join(err, sockets.Close()))
	}
	t.Cleanup(func() {
		if err := errors.Join(on.Close(), sockets.Close()); err != nil {
			t.Error(err)
		}
	})
	return on
}

// TestEventLogAndRegisters has the process die at each step of a measurement: the log leads to what
// the registers hold, and nothing is measured twice.
func TestEventLogAndRegisters(t *testing.T) {
	on := chip(t)
	path := filepath.Join(t.TempDir(), "run", "measured")
	events := eventlog.Log{{Register: 14, Type: 1, Data: []byte("a")},
		{Register: 8, Type: 1, Data: []byte("b")}, {Register: 14, Type: 1, Data: []byte("c")}}
	holds := func(want eventlog.Log) {
		t.Helper()
		got, err := tpm.NewMeasured(path).Log(on.TPM)
		same := len(got) == 0 && len(want) == 0 || reflect.DeepEqual(got, want)
		if err != nil || !same {
			t.Fatalf("the log is %+v, %v, want %+v", got, err, want)
		}
		for _, register := range []uint32{8, 14} {
			var value [32]byte
			for _, e := range want {
				if e.Register == register {
					value = e.Extend(value)
				}
			}
			if now, err := on.PCRs([]uint32{register}); err != nil || now[0] != value {
				t.Fatalf("register %d is %x, %v, want %x", register, now, err, value)
			}
		}
	}
	for i, e := range events {
		if err := tpm.NewMeasured(path).Intend(on.TPM, e); err != nil {
			t.Fatal(err)
		}
		holds(events[:i:i])
		for n := range 3 {
			before, err := tpm.NewMeasured(path).Measure(on.TPM, e)
			if err != nil || before != (n > 0) {
				t.Fatalf("time %d of event %d: measured before %v, %v", n+1, i, before, err)
			}
			holds(events[: i+1 : i+1])
		}
	}
	if err := on.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	holds(nil)
}

// TestWithinEnds has a context end while a TPM does not answer, and finds it usable afterwards.
func TestWithinEnds(t *testing.T) {
	on := chip(t)
	if err := on.Seal([]byte("secret"), []uint32{0}); err != nil {
		t.Fatal(err)
	}
	// A context that is over before, and ones that end at some point of the commands of Unseal.
	for n := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*200*time.Microsecond)
		start := time.Now()
		secret, err := on.Within(ctx).Unseal([]uint32{0})
		if took := time.Since(start); took > time.Second {
			t.Errorf("it ended after %v", took)
		}
		if err == nil && string(secret) != "secret" ||
			err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %q, %v", secret, err)
		}
		cancel()
	}
	if secret, err := on.Unseal([]uint32{0}); err != nil || string(secret) != "secret" {
		t.Errorf("after that it holds %q, %v", secret, err)
	}
}

// TestWithinEndsWhileItHangs has a TPM take commands and not answer: a context's end is the
// command's, soon, and the TPM goes on where it was.
func TestWithinEndsWhileItHangs(t *testing.T) {
	on := chip(t)
	if err := unix.Kill(on.PID(), unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		_, err := on.Within(ctx).Random(8)
		if took := time.Since(start); took > time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended after %v with %v", took, err)
		}
		cancel()
	}
	if err := unix.Kill(on.PID(), unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if got, err := on.Random(8); err != nil || len(got) != 8 {
		t.Errorf("it goes on with %d bytes, %v", len(got), err)
	}
}
