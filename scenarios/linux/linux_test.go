package linux_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/linux"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zedbox builds the program.
func zedbox(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "zedbox")
	c := exec.CommandContext(t.Context(), "go", "build", "-o", program,
		"github.com/evetwin/evetwin/cmd/zedbox")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build zedbox: %v: %s", err, out)
	}
	return program
}

// run carries a scenario out on a device of real parts, which leaves nothing behind.
func run(t *testing.T, name string, o linux.Options) {
	t.Helper()
	for _, program := range []string{libvirtd.DefaultProgram, "qemu-system-x86_64", "dnsmasq", "nft",
		"swtpm", "ip"} {
		labtest.Program(t, program)
	}
	if os.Getuid() != 0 {
		labtest.Missing(t, "a device of real parts needs root")
	}
	labtest.Kernel(t)
	o.Cache = labtest.Cache()
	t.Cleanup(netlab.Untouched(t))
	sc, err := scenarios.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	h, err := linux.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Errorf("end the device: %v", err)
		}
	}()
	if r := sc.Run(h, 1); !r.OK {
		t.Fatalf("after %v: %s\n%s", time.Since(began), r.Error, r.Causes)
	}
}

// The agents of zedbox, a process each, onboard by DHCP against a controller over TLS, run a guest
// through libvirt that is reached behind a mapped port, and follow an edit of access rules. In one
// process they do the same.
func TestAPP1_QuickstartOnRealParts(t *testing.T) {
	program := zedbox(t)
	t.Run("processes", func(t *testing.T) { run(t, "quickstart", linux.Options{Program: program}) })
	t.Run("whole", func(t *testing.T) {
		run(t, "quickstart", linux.Options{Program: program, Whole: true})
	})
}

// Each process of the device is killed once, then its rules, bridge, dnsmasq, libvirtd and the file
// of the name service: the guest runs on, and the device ends as it was.
func TestAPP47_DEV12_DeviceOfRealPartsHeals(t *testing.T) {
	run(t, "linux-heals", linux.Options{Program: zedbox(t)})
}
