package conform_test

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
)

// guestCases are the tests that run in the guest: those of links that this kernel may lack.
const guestCases = "^(TestModelNicConforms|TestLAB6_LAB13_LinuxNicConforms|" +
	"TestModelStoreQuotasConform|TestLinuxStoreQuotasConform)$/^(VLANs|WireGuard|quotas)$"

// guestPatience is how long the guest may take.
const guestPatience = 3 * time.Minute

// TestNicInAGuestAndQuotas runs this program in a virtual machine whose kernel has VLANs, WireGuard
// and quotas: no case is skipped there, but those about a kernel without.
func TestNicInAGuestAndQuotas(t *testing.T) {
	labtest.Program(t, qemu.DefaultProgram)
	m := guest.Machine{Cache: labtest.Cache(), Kernel: labtest.Kernel(t)}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	root, err := guest.Prepare(t.Context(), guest.Image{
		Config: v1.Config{Entrypoint: []string{"/program", "-test.v", "-test.run", guestCases},
			Env: []string{"PATH=/usr/sbin:/usr/bin"}},
		Layers: []func() (io.ReadCloser, error){layerOf(t, map[string]string{"/program": self,
			"/usr/sbin/dnsmasq": labtest.Program(t, "dnsmasq"), "/usr/bin/ip": labtest.Program(t, "ip"),
			"/usr/sbin/mke2fs": labtest.Program(t, "mke2fs")})},
	}, guest.RootOptions{Dir: t.TempDir(), InitramfsMax: -1})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := m.Boot(t.Context(), root, guest.Start{UUID: "nic", Boot: 1,
		Modules: []string{"veth", "8021q", "wireguard", "loop", "quota_v2"}},
		filepath.Join(t.TempDir(), "initramfs"))
	if err != nil {
		t.Fatal(err)
	}
	spec := qemu.Spec{Name: "nic", MemoryMiB: 384, NoReboot: true}
	parts.Fill(&spec)
	out := &heard{}
	vm, err := qemu.Launch(t.Context(), qemu.Options{Spec: spec, Console: out, Booted: guest.Banner})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = vm.Destroy() }()
	if err := vm.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	limit := time.NewTimer(guestPatience)
	defer limit.Stop()
	select {
	case <-vm.Done():
	case <-limit.C:
		t.Errorf("the guest takes more than %v", guestPatience)
	}
	said := out.String()
	if !strings.Contains(said, guest.Exit+" nic code=0") ||
		!regexp.MustCompile(`cases, \d+ on the real part, \d+ skipped, 0 differ`).MatchString(said) {
		t.Errorf("the guest says\n%s", said)
	}
	for _, group := range []string{"TestLAB6_LAB13_LinuxNicConforms/VLANs",
		"TestLAB6_LAB13_LinuxNicConforms/WireGuard", "TestLinuxStoreQuotasConform/quotas"} {
		if !strings.Contains(said, "--- PASS: "+group+" ") {
			t.Errorf("no test of %s passed", group)
		}
	}
	for line := range strings.Lines(said) {
		if strings.Contains(line, " on the real part") {
			t.Log("in the guest:", strings.TrimSpace(line))
		}
		if strings.HasPrefix(line, "skipped on linux") && !strings.Contains(line, "a kernel without") {
			t.Errorf("in the guest, too: %s", line)
		}
	}
}

// heard is what a guest says.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes it.
func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(bytes.ReplaceAll(b, []byte("\r"), nil))
}

// String is all of it.
func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// layerOf is a layer with programs, by where they are to lie, and the libraries they need.
func layerOf(t *testing.T, programs map[string]string) func() (io.ReadCloser, error) {
	t.Helper()
	files := maps.Clone(programs)
	for _, program := range slices.Sorted(maps.Values(programs)) {
		if err := libraries(program, files); err != nil {
			t.Fatal(err)
		}
	}
	return func() (io.ReadCloser, error) {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		write := func(name string, data []byte) error {
			err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data)),
				Typeflag: tar.TypeReg})
			if err == nil {
				_, err = w.Write(data)
			}
			return err
		}
		err := errors.Join(write("/etc/passwd", []byte("root:x:0:0::/:/bin/sh\n")),
			write("/etc/group", []byte("root:x:0:\n")))
		for _, name := range slices.Sorted(maps.Keys(files)) {
			data, err2 := os.ReadFile(files[name])
			err = errors.Join(err, err2, write(name, data))
		}
		return io.NopCloser(&out), errors.Join(err, w.Close())
	}
}

// libraries adds what a program needs to be loaded, by path.
func libraries(program string, files map[string]string) error {
	f, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("look at %s: %w", program, err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name, err := io.ReadAll(p.Open())
			if err != nil {
				return err
			}
			path := string(bytes.TrimRight(name, "\x00"))
			files[path] = path
		}
	}
	names, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range names {
		found, _ := filepath.Glob("/lib/*-linux-gnu/" + name)
		if len(found) == 0 {
			continue // the loader itself
		}
		if _, known := files[found[0]]; !known {
			files[found[0]] = found[0]
			if err := libraries(found[0], files); err != nil {
				return err
			}
		}
	}
	return nil
}
