package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// DefaultQEMU is the emulator's program where no other is named.
const DefaultQEMU = "qemu-system-x86_64"

// defaultKVMDeadline is how long a guest under KVM may take to show life. One that works takes
// well below a second, one that hangs takes for ever.
const defaultKVMDeadline = 10 * time.Second

// askLimit is how long a program may take to tell its version.
const askLimit = 4 * time.Second

func (p Prober) qemu() string {
	if p.QEMU != "" {
		return p.QEMU
	}
	return DefaultQEMU
}

func (p Prober) kvmDevice() string {
	if p.KVMDevice != "" {
		return p.KVMDevice
	}
	return "/dev/kvm"
}

func (p Prober) kvmDeadline() time.Duration {
	if p.KVMDeadline > 0 {
		return p.KVMDeadline
	}
	return defaultKVMDeadline
}

func (p Prober) tryQEMU(ctx context.Context) (string, string, error) {
	path, err := Find(p.qemu())
	if err != nil {
		return "", "", err
	}
	version, err := ask(ctx, path, "--version")
	return version, path, err
}

func (p Prober) tryKernel(context.Context) (string, string, error) {
	kernel, err := FindKernel(p.Cache)
	if err != nil {
		return "", "", err
	}
	return kernel.Version, kernel.Path, nil
}

func (p Prober) trySWTPM(ctx context.Context) (string, string, error) {
	path, err := Find("swtpm")
	if err != nil {
		return "", "", err
	}
	version, err := ask(ctx, path, "--version")
	if err != nil {
		return version, "", err
	}
	can, err := output(ctx, path, "socket", "--tpm2", "--print-capabilities")
	if err == nil && !strings.Contains(can, "tpm-2.0") {
		err = errors.New("swtpm emulates no TPM 2.0")
	}
	return version, path, err
}

func (p Prober) tryLibvirt(ctx context.Context) (string, string, error) {
	path, err := Find("libvirtd")
	if err != nil {
		return "", "", err
	}
	version, err := ask(ctx, path, "--version")
	return version, path, err
}

func (p Prober) tryGo(ctx context.Context) (string, string, error) {
	path, err := Find("go")
	if err != nil {
		return "", "", err
	}
	version, err := ask(ctx, path, "env", "GOVERSION")
	return version, path, err
}

// tryNamespaces runs a program in a network namespace of its own; who is not root needs a user
// namespace for that.
func (p Prober) tryNamespaces(ctx context.Context) (string, string, error) {
	out, err := isolated(ctx, "cat", "/proc/net/dev")
	if err != nil {
		return "", "", fmt.Errorf("make a network namespace: %w", err)
	}
	if strings.Count(out, ":") != 1 || !strings.Contains(out, "lo:") {
		return "", "", errors.New("a new network namespace is not empty")
	}
	return "", "a program ran in a network namespace of its own", nil
}

// tryNFTables loads a ruleset into a namespace of its own.
func (p Prober) tryNFTables(ctx context.Context) (string, string, error) {
	path, err := Find("nft")
	if err != nil {
		return "", "", err
	}
	version, err := ask(ctx, path, "--version")
	if err != nil {
		return version, "", err
	}
	const rules = "table inet evetwin { chain probe { type filter hook input priority 0; " +
		"ct state established accept; }; }"
	if _, err := isolated(ctx, path, rules); err != nil {
		return version, "", fmt.Errorf("load a ruleset: %w", err)
	}
	return version, "a ruleset was loaded in a network namespace of its own", nil
}

// isolated runs a program in new namespaces and returns what it wrote.
func isolated(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	cmd.SysProcAttr = attr
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, lastLine(said.String()))
	}
	return string(out), nil
}

// ask returns the first version number a program tells.
func ask(ctx context.Context, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	out, err := output(ctx, path, args...)
	if err != nil {
		return "", err
	}
	version := regexp.MustCompile(`[0-9]+(\.[0-9]+)+`).FindString(out)
	if version == "" {
		return "", fmt.Errorf("%s %s tells no version", path, strings.Join(args, " "))
	}
	return version, nil
}
