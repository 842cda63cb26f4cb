package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kernelMeta is the Debian package that depends on the newest small kernel for virtual machines.
const kernelMeta = "linux-image-cloud-amd64"

// kernelFile describes a kernel in its cache entry.
const kernelFile = "kernel.json"

// kernelEntry starts the names of cache entries that hold a kernel.
const kernelEntry = "guest-kernel-"

// ErrNoKernel says that the cache holds no guest kernel. Setup fetches one.
var ErrNoKernel = errors.New("no guest kernel in the cache: run make setup")

// wantedModules returns the modules a guest of ours may need; those they depend on come along.
func wantedModules() []string {
	return []string{
		"virtio_pci", "virtio_net", "virtio_blk", "virtio_rng", "virtio_console", "virtiofs",
		"squashfs", "overlay", "isofs", "button", "evdev",
		// For tests of what the kernel of a small machine does not have: links, and quotas of folders.
		"veth", "8021q", "wireguard", "loop", "quota_v2",
	}
}

// modulesMark ends the names of cache entries that hold these modules: a kernel with others is
// another entry.
func modulesMark() string {
	sum := sha256.Sum256([]byte(strings.Join(wantedModules(), " ")))
	return "-" + hex.EncodeToString(sum[:4])
}

// Module is a kernel module in the cache.
type Module struct {
	// Name is the module's name as the kernel shows it, with underscores.
	Name string `json:"name"`
	// File is the module's file, an uncompressed ELF object.
	File string `json:"file"`
	// After names the modules that must be inserted before it.
	After []string `json:"after"`
}

// Kernel is a guest kernel with its modules.
type Kernel struct {
	// Path is what QEMU loads: an uncompressed vmlinux with a PVH entry, which spares the guest
	// its own unpacking (0.3 s under TCG), or the distribution's bzImage where that cannot be had.
	Path string `json:"path"`
	// Image is the distribution's bzImage. A guest with a TPM needs it: started at the PVH entry,
	// its initramfs is put over the ACPI tables, which a TPM's log has made longer.
	Image string `json:"image"`
	// Version is what uname -r says in the guest.
	Version string `json:"version"`
	// Package is the Debian package it comes from.
	Package string `json:"package"`
	// Parts are the modules, sorted by name.
	Parts []Module `json:"modules"`
}

// FindKernel returns the newest kernel in the cache, or ErrNoKernel.
func FindKernel(cache Cache) (Kernel, error) {
	found, _ := filepath.Glob(filepath.Join(cache.Dir, kernelEntry+"*"+modulesMark()))
	slices.SortFunc(found, compareVersions)
	for _, dir := range slices.Backward(found) {
		if checkManifest(dir) != nil {
			continue
		}
		if kernel, err := readKernel(dir); err == nil {
			return kernel, nil
		}
	}
	return Kernel{}, ErrNoKernel
}

func readKernel(dir string) (Kernel, error) {
	text, err := os.ReadFile(filepath.Join(dir, kernelFile))
	if err != nil {
		return Kernel{}, err
	}
	var kernel Kernel
	if err := json.Unmarshal(text, &kernel); err != nil {
		return Kernel{}, fmt.Errorf("read kernel %s: %w", dir, err)
	}
	kernel.Path = filepath.Join(dir, kernel.Path)
	kernel.Image = filepath.Join(dir, kernel.Image)
	for i := range kernel.Parts {
		kernel.Parts[i].File = filepath.Join(dir, kernel.Parts[i].File)
	}
	return kernel, nil
}

// Modules returns the files of the named modules and of all they depend on, in an order in which
// they can be inserted. A module the kernel does not have as a file is an error.
func (k Kernel) Modules(names ...string) ([]string, error) {
	var files []string
	seen := map[string]bool{}
	var visit func(name, neededBy string) error
	visit = func(name, neededBy string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		i := slices.IndexFunc(k.Parts, func(m Module) bool { return m.Name == name })
		if i < 0 {
			return fmt.Errorf("kernel %s: no module %s (for %s)", k.Version, name, neededBy)
		}
		for _, before := range k.Parts[i].After {
			if err := visit(before, name); err != nil {
				return err
			}
		}
		files = append(files, k.Parts[i].File)
		return nil
	}
	for _, name := range names {
		if err := visit(name, "the guest"); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// FetchKernel returns the kernel Debian's package index calls the newest, from the cache or, if
// it is not there, by downloading its package. It needs apt, its index and the network, but not
// root.
func FetchKernel(ctx context.Context, cache Cache) (Kernel, error) {
	pkg, err := kernelPackage(ctx)
	if err != nil {
		return Kernel{}, err
	}
	dir, err := cache.Entry(ctx, kernelEntry+pkg+modulesMark(),
		func(ctx context.Context, dir string) error { return fillKernel(ctx, pkg, dir) })
	if err != nil {
		return Kernel{}, err
	}
	return readKernel(dir)
}

// kernelPackage asks apt which package the meta package stands for today.
func kernelPackage(ctx context.Context) (string, error) {
	out, err := output(ctx, "apt-cache", "depends", "--important", kernelMeta)
	if err != nil {
		return "", fmt.Errorf("look up package %s: %w", kernelMeta, err)
	}
	for line := range strings.Lines(out) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: ")
		if ok && strings.HasPrefix(name, "linux-image-") {
			return name, nil
		}
	}
	return "", fmt.Errorf("look up package %s: the package index does not know it", kernelMeta)
}

// compareVersions orders names as people count: runs of digits by value, the rest by byte.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da == "" || db == "" {
			if a[0] != b[0] {
				return int(a[0]) - int(b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		a, b = a[len(da):], b[len(db):]
		da, db = strings.TrimLeft(da, "0"), strings.TrimLeft(db, "0")
		if len(da) != len(db) {
			return len(da) - len(db)
		}
		if c := strings.Compare(da, db); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

func digits(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return s
	}
	return s[:end]
}
