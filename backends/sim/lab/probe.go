package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// probeLimit ends all probes together; the longest, KVM, ends itself earlier.
const probeLimit = 12 * time.Second

// probeFile keeps the findings in the cache for as long as the machine is up.
const probeFile = "probes.json"

// Finding tells whether one part works on this machine.
type Finding struct {
	// Part is the part's name: qemu, kvm, kernel, swtpm, libvirt, namespaces, nftables, go.
	Part string `json:"part"`
	// OK says that the part was used, and worked.
	OK bool `json:"ok"`
	// Version is what the part says of itself; empty for parts without one.
	Version string `json:"version"`
	// Detail says how it was found out, or what went wrong.
	Detail string `json:"detail"`
	// Cost is what a user goes without when the part does not work; empty when it does.
	Cost string `json:"cost"`
}

// Prober finds out what works on this machine. The zero value of each field but Cache has a
// meaning.
type Prober struct {
	// Cache holds the guest kernel and keeps the findings.
	Cache Cache
	// QEMU is the emulator's program; empty means the one on PATH.
	QEMU string
	// KVMDevice is the device node; empty means /dev/kvm.
	KVMDevice string
	// KVMDeadline is how long a guest under KVM may take to show life; 0 means 10 s.
	KVMDeadline time.Duration
}

// probe is one part, how to try it and what it costs not to have it. The try returns the version
// and a sentence on what was seen.
type probe struct {
	part string
	cost string
	try  func(ctx context.Context) (version, detail string, err error)
}

func (p Prober) probes() []probe {
	return []probe{
		{"qemu", "applications run in the model only: no guest boots, no console, no HTTP answer",
			p.tryQEMU},
		{"kvm", "guests run under TCG: they boot in 2 to 3 s instead of half a second",
			p.tryKVM},
		{"kernel", "containers cannot be booted as virtual machines; they run in the model only",
			p.tryKernel},
		{"swtpm", "the device key lives in the model, not in a TPM", p.trySWTPM},
		{"libvirt", "domains cannot be run through libvirt; QEMU is run directly", p.tryLibvirt},
		{"namespaces", "the Linux backends cannot run beside this machine's own network",
			p.tryNamespaces},
		{"nftables", "the firewall of the Linux backends cannot be tried here", p.tryNFTables},
		{"go", "programs that run inside guests cannot be built; those in the cache still run",
			p.tryGo},
	}
}

// Probe tries all parts side by side and returns a finding for each, always in the same order.
// It takes 12 s at most, and no time worth mentioning when nothing has changed since the last
// time in this boot of the machine.
func (p Prober) Probe(ctx context.Context) []Finding {
	key := p.fingerprint()
	if found, ok := p.remembered(key); ok {
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	probes := p.probes()
	found := make([]Finding, len(probes))
	var all sync.WaitGroup
	for i, one := range probes {
		all.Go(func() { found[i] = one.run(ctx) })
	}
	all.Wait()
	if ctx.Err() == nil {
		p.remember(key, found)
	}
	return found
}

func (one probe) run(ctx context.Context) Finding {
	version, detail, err := one.try(ctx)
	if err != nil {
		return Finding{Part: one.part, Version: version, Detail: err.Error(), Cost: one.cost}
	}
	return Finding{Part: one.part, OK: true, Version: version, Detail: detail}
}

// memory is what probeFile holds.
type memory struct {
	Key      string    `json:"key"`
	Findings []Finding `json:"findings"`
}

func (p Prober) remembered(key string) ([]Finding, bool) {
	text, err := os.ReadFile(filepath.Join(p.Cache.Dir, probeFile))
	var kept memory
	if err != nil || json.Unmarshal(text, &kept) != nil || kept.Key != key {
		return nil, false
	}
	return kept.Findings, true
}

// remember keeps findings. That it cannot, on a full disk say, costs only the next probe's time.
func (p Prober) remember(key string, found []Finding) {
	text, err := json.MarshalIndent(memory{Key: key, Findings: found}, "", "\t")
	if err != nil || os.MkdirAll(p.Cache.Dir, 0o755) != nil {
		return
	}
	_ = renameio.WriteFile(filepath.Join(p.Cache.Dir, probeFile), append(text, '\n'), 0o644)
}

// fingerprint names everything the findings hang on: this boot of the machine, the user, and the
// programs. Who installs a part after a probe sees it at the next one.
func (p Prober) fingerprint() string {
	var parts []string
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	parts = append(parts, strings.TrimSpace(string(boot)), fmt.Sprint("uid ", os.Getuid()))
	kernel, _ := FindKernel(p.Cache)
	parts = append(parts, kernel.Path, p.kvmDevice(), p.kvmDeadline().String())
	for _, name := range []string{p.qemu(), "swtpm", "libvirtd", "nft", "go"} {
		path, err := Find(name)
		if err != nil {
			parts = append(parts, "no "+name)
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		parts = append(parts, fmt.Sprint(path, " ", info.Size(), " ", info.ModTime().UnixNano()))
	}
	if info, err := os.Stat(p.kvmDevice()); err == nil {
		parts = append(parts, info.Mode().String())
	}
	return strings.Join(parts, "; ")
}

// Find looks a program up on PATH and where daemons live, which is not on everybody's PATH.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil || filepath.IsAbs(name) {
		return path, err
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/go/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}
