package conform_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/store/zfs/zfstest"
	linuxtpm "github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
	"github.com/evetwin/evetwin/backends/sim/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
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
	zfstest.Main()
	// Models mostly wait.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
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

// keeping gives a part the keeper of a boot.
type keeping = func() *secret.Keeper

func TestModelTPMConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.TPM(t, model, func(_ *testing.T, o conform.Onboarding, keeper keeping,
	) conform.TPMSetup {
		d := configured(o)
		part := &tpm.Tpm{Disk: d, Seed: 7, Name: "conform", Keeper: keeper}
		return conform.TPMSetup{Kind: "model", Setup: conform.Setup{Cut: cutter(d), Part: part},
			Hands: conform.TPMHands{Evict: part.Evict, Clear: part.Clear,
				Kill: func() { part.Dead = true }, Revive: func() { part.Dead = false }}}
	})
}

// software is the backend of keys in software, on a model.
var software = conform.Backend{Name: "software", Report: report}

func TestKeysInSoftwareConform(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.TPM(t, software, func(_ *testing.T, o conform.Onboarding, keeper keeping,
	) conform.TPMSetup {
		d := configured(o)
		return conform.TPMSetup{Kind: "none", Setup: conform.Setup{Cut: cutter(d),
			Part: &tpm.Tpm{Disk: d, Seed: 7, Name: "conform", Absent: true, Keeper: keeper}}}
	})
}

// folder is a folder with an onboarding identity.
func folder(t *testing.T, o conform.Onboarding) linuxtpm.Dir {
	t.Helper()
	d := linuxtpm.Dir{Root: t.TempDir()}
	for path, text := range map[string][]byte{tpm.OnboardCert: o.Cert, tpm.OnboardKey: o.Key} {
		if len(text) > 0 {
			if err := d.Write(path, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	return d
}

func TestKeysInFilesConform(t *testing.T) {
	b := realPart("files")
	b.Model = software.Name
	conform.TPM(t, b, func(t *testing.T, o conform.Onboarding, keeper keeping,
	) conform.TPMSetup {
		part := linuxtpm.New(linuxtpm.Options{Files: folder(t, o), Keeper: keeper})
		t.Cleanup(part.Halt)
		return conform.TPMSetup{Kind: "none", Setup: conform.Setup{Part: part}}
	})
}

// chip is a software TPM that nobody starts again.
type chip struct {
	t       *testing.T
	program string
	dir     string
	socket  string
	process *child.Process
}

// start starts it on the state that there is.
func (c *chip) start() {
	c.t.Helper()
	if err := os.Remove(c.socket); err != nil && !os.IsNotExist(err) {
		c.t.Error(err)
	}
	var err error
	c.process, err = child.Start(child.Options{Name: "swtpm", Path: c.program,
		Args: []string{"socket", "--tpm2", "--tpmstate", "dir=" + c.dir, "--server",
			"type=unixio,path=" + c.socket, "--flags", "not-need-init,startup-clear"}})
	if err != nil {
		c.t.Error(err)
	}
}

// kill ends it with SIGKILL.
func (c *chip) kill() {
	c.t.Helper()
	if err := c.process.Kill(); err != nil {
		c.t.Error(err)
	}
}

// dead reports whether it does not run.
func (c *chip) dead() bool {
	select {
	case <-c.process.Done():
		return true
	default:
		return false
	}
}

// newChip starts a software TPM and waits until it listens.
func newChip(t *testing.T) *chip {
	t.Helper()
	sockets, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	c := &chip{t: t, program: labtest.Program(t, "swtpm"), dir: t.TempDir(),
		socket: filepath.Join(sockets.Path, "s")}
	first, err := swtpm.Open(t.Context(), swtpm.Options{Dir: c.dir, SocketDir: sockets.Path})
	if err == nil {
		err = first.Close() // its state is made
	}
	if err != nil {
		t.Fatal(err)
	}
	c.start()
	t.Cleanup(func() {
		c.kill()
		if err := sockets.Close(); err != nil {
			t.Error(err)
		}
		if left := labtest.Offspring(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return c
}

// open opens the TPM, as soon as it listens.
func (c *chip) open() *linuxtpm.TPM {
	c.t.Helper()
	// A socket is there when it listens, or a moment before.
	for end := time.Now().Add(10 * time.Second); ; {
		opened, err := linuxtpm.Open(c.socket)
		if err == nil {
			return opened
		}
		if time.Now().After(end) {
			c.t.Fatal(err)
		}
	}
}

func TestSoftwareTPMConforms(t *testing.T) {
	labtest.Program(t, "swtpm")
	conform.TPM(t, realPart("swtpm"), func(t *testing.T, o conform.Onboarding, keeper keeping,
	) conform.TPMSetup {
		c := newChip(t)
		opened := c.open()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		part := linuxtpm.New(linuxtpm.Options{TPM: opened, Kind: "swtpm", Keeper: keeper,
			Files: folder(t, o), Log: filepath.Join(t.TempDir(), "run", "measured")})
		t.Cleanup(func() {
			part.Halt()
			must(opened.Close())
		})
		hands := conform.TPMHands{Kill: c.kill, Revive: c.start,
			Evict: func() { must(opened.Evict(linuxtpm.DeviceKeyHandle)) },
			Clear: func() {
				_, err := tpm2.Clear{AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHLockout,
					Auth: tpm2.PasswordAuth(nil)}}.Execute(opened.Transport())
				must(err)
			}}
		cut := func() {
			if !c.dead() {
				c.kill()
				c.start()
			}
		}
		return conform.TPMSetup{Kind: "swtpm", Hands: hands,
			Setup: conform.Setup{Cut: cut, Part: part}}
	})
}
