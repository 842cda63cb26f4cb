package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/child"
)

// Accelerators of QEMU.
const (
	// TCG translates the guest's code: slow, and works everywhere.
	TCG = "tcg"
	// KVM runs it on the processor.
	KVM = "kvm"
)

// Verdict is what guests run under, and why.
type Verdict struct {
	// Accel is TCG or KVM.
	Accel string
	// Why is a sentence for people.
	Why string
}

// HWAssisted says whether guests run on the processor itself, which is what a device reports as
// HWAssistedVirtualization.
func (v Verdict) HWAssisted() bool { return v.Accel == KVM }

// Accel decides what guests run under. KVM must have booted a guest in this boot of the machine;
// everything else is TCG. It takes 12 s at most.
func (p Prober) Accel(ctx context.Context) Verdict {
	for _, found := range p.Probe(ctx) {
		if found.Part == "kvm" && found.OK {
			return Verdict{Accel: KVM, Why: found.Detail}
		}
		if found.Part == "kvm" {
			return Verdict{Accel: TCG, Why: "no KVM: " + found.Detail}
		}
	}
	return Verdict{Accel: TCG, Why: "KVM was not tried"}
}

// tryKVM boots the probe guest. Nothing less will do: on a nested host the device node opens,
// QEMU starts and stays alive, and no guest instruction is ever run.
func (p Prober) tryKVM(ctx context.Context) (string, string, error) {
	if runtime.GOARCH != "amd64" {
		return "", "", fmt.Errorf("the probe guest is for amd64, this is %s", runtime.GOARCH)
	}
	if err := unix.Access(p.kvmDevice(), unix.R_OK|unix.W_OK); err != nil {
		return "", "", fmt.Errorf("open %s: %w", p.kvmDevice(), err)
	}
	qemu, err := Find(p.qemu())
	if err != nil {
		return "", "", err
	}
	kernel, err := FindKernel(p.Cache)
	if err != nil {
		return "", "", err
	}
	dir, err := os.MkdirTemp("", "evetwin-probe-")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	initrd := filepath.Join(dir, "initramfs")
	image, err := probeInitramfs()
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(initrd, image, 0o600); err != nil {
		return "", "", err
	}
	took, err := bootProbeGuest(ctx, p.kvmDeadline(), child.Options{
		Name: "probe guest", Path: qemu,
		Args: []string{"-accel", KVM, "-cpu", "host", "-M", "q35", "-m", "128",
			"-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-serial", "stdio",
			"-kernel", kernel.Path, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1"},
	})
	if err != nil {
		return "", "", err
	}
	return "", fmt.Sprintf("a guest booted under KVM in %.1f s", took.Seconds()), nil
}

// bootProbeGuest starts a guest and waits for its marker, for the deadline at most.
func bootProbeGuest(
	ctx context.Context, deadline time.Duration, opts child.Options,
) (time.Duration, error) {
	watch := &markerWatch{seen: make(chan struct{})}
	opts.Stdout = watch
	start := time.Now()
	guest, err := child.Start(opts)
	if err != nil {
		return 0, err
	}
	defer func() { _ = guest.Kill() }()
	expired := time.NewTimer(deadline)
	defer expired.Stop()
	select {
	case <-watch.seen:
		return time.Since(start), nil
	case <-guest.Done():
		if watch.found() {
			return time.Since(start), nil
		}
		if err := guest.Err(); err != nil {
			return 0, err
		}
		return 0, errors.New("the probe guest ended without a sign of life")
	case <-expired.C:
		return 0, fmt.Errorf("a guest under KVM gave no sign of life in %v", deadline)
	case <-ctx.Done():
		return 0, fmt.Errorf("boot a guest under KVM: %w", ctx.Err())
	}
}

// markerWatch is a console that looks for the probe guest's marker.
type markerWatch struct {
	mu   sync.Mutex
	text strings.Builder
	seen chan struct{}
}

// Write looks for the marker in all that was written so far; a console of a quiet boot is short.
func (w *markerWatch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.foundLocked()
	w.text.Write(p)
	if !before && w.foundLocked() {
		close(w.seen)
	}
	return len(p), nil
}

func (w *markerWatch) found() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.foundLocked()
}

func (w *markerWatch) foundLocked() bool {
	return strings.Contains(w.text.String(), strings.TrimSpace(probeMarker))
}
