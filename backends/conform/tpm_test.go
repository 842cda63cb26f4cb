package conform_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/real"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
	"github.com/evetwin/evetwin/backends/sim/tpm"
)

// report is what the suites of this package find, on models and on real parts.
var report = &conform.Report{}

// model is the backend of all models.
var model = conform.Backend{Name: "model", Report: report}

// realPart is a backend that is none.
func realPart(name string) conform.Backend {
	return conform.Backend{Name: name, Real: true, Report: report}
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if !report.Print(os.Stdout) && code == 0 {
			code = 1
		}
		os.Exit(code)
	}))
}

// configured is a disk with an onboarding identity.
func configured(o conform.Onboarding) *disk.Disk {
	d := disk.New(1<<30, 1<<20)
	d.Put(tpm.OnboardCert, o.Cert)
	d.Put(tpm.OnboardKey, o.Key)
	return d
}

// cutter is the power cut of a disk; every draw is the same.
func cutter(d *disk.Disk) func() {
	return func() { d.Cut(func(string) uint64 { return 0 }) }
}

func TestModelTPMConforms(t *testing.T) {
	conform.TPM(t, model, func(_ *testing.T, o conform.Onboarding) conform.TPMSetup {
		d := configured(o)
		return conform.TPMSetup{Kind: "model", Setup: conform.Setup{Cut: cutter(d),
			Part: &tpm.Tpm{Disk: d, Seed: 7, Name: "conform"}}}
	})
}

func TestKeysInSoftwareConform(t *testing.T) {
	software := conform.Backend{Name: "software", Report: report}
	conform.TPM(t, software, func(_ *testing.T, o conform.Onboarding) conform.TPMSetup {
		d := configured(o)
		return conform.TPMSetup{Kind: "none", Setup: conform.Setup{Cut: cutter(d),
			Part: &tpm.Tpm{Disk: d, Seed: 7, Name: "conform", Absent: true}}}
	})
}

func TestSoftwareTPMConforms(t *testing.T) {
	labtest.Program(t, "swtpm")
	conform.TPM(t, realPart("swtpm"), func(t *testing.T, o conform.Onboarding) conform.TPMSetup {
		sockets, err := lab.NewSocketDir()
		if err != nil {
			t.Fatal(err)
		}
		chip, err := swtpm.Open(t.Context(), swtpm.Options{Dir: t.TempDir(),
			SocketDir: sockets.Path})
		if err != nil {
			_ = sockets.Close()
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := chip.Close(); err != nil {
				t.Error(err)
			}
			if err := sockets.Close(); err != nil {
				t.Error(err)
			}
			if left := labtest.Offspring(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
		d := configured(o)
		return conform.TPMSetup{Kind: "swtpm", Setup: conform.Setup{Cut: cutter(d),
			Part: &real.Tpm{TPM: chip.TPM, Kind: "swtpm", Disk: d}}}
	})
}
