package livetest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/twin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take that is waited for.
const patience = 45 * time.Second

// name is the device's.
const name = "edge"

// bench is a device under test.
type bench struct {
	*twin.Live
	t     *testing.T
	moved chan struct{}
	draft *fleet.Draft

	mu   sync.Mutex
	urls map[string]string // by application
}

// newBench makes a device with a software TPM and guests in QEMU that does the bundled application;
// it is off.
func newBench(t *testing.T, change func(o *twin.LiveOptions)) *bench {
	t.Helper()
	labtest.Program(t, lab.DefaultQEMU)
	labtest.Program(t, "swtpm")
	labtest.Kernel(t)
	b := &bench{t: t, moved: make(chan struct{}, 1), urls: map[string]string{},
		draft: twin.DemoDraft(name)}
	o := twin.LiveOptions{Dir: t.TempDir(), Cache: labtest.Cache(), Hyper: twin.QEMU, Tpm: twin.SWTPM,
		OnForward: func(app, proto string, _ uint16, at netip.AddrPort) {
			if proto != "tcp" {
				return
			}
			b.mu.Lock()
			b.urls[app] = "http://" + at.String() + "/"
			b.mu.Unlock()
		},
		DeviceOptions: twin.DeviceOptions{Name: name, Seed: 1,
			OnTurn: func(*host.Proc, *host.Input, *host.Output) {
				select {
				case b.moved <- struct{}{}:
				default:
				}
			}}}
	if change != nil {
		change(&o)
	}
	l, err := twin.NewLive(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b.Live = l
	t.Cleanup(func() {
		b.close()
		if left := labtest.Offspring(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return b
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Error(err)
	}
}

// config gives the device what the draft says and returns the version.
func (b *bench) config() string {
	b.t.Helper()
	cfg, err := b.draft.Build()
	if err != nil {
		b.t.Fatal(err)
	}
	version, err := b.SetConfig(name, cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return version
}

// until waits until something is true of the device.
func (b *bench) until(what string, cond func(k *host.Kernel) bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	for {
		var ok bool
		err := b.Device.Do(ctx, func(k *host.Kernel) { ok = !k.Dead() && cond(k) })
		if err != nil {
			b.t.Fatalf("wait until %s: %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-b.moved:
		case <-b.Ended():
			b.t.Fatalf("wait until %s: the device has stopped", what)
		case <-ctx.Done():
			b.t.Fatalf("wait until %s: %v", what, ctx.Err())
		}
	}
}

// inForce waits until the device has a version of its configuration.
func (b *bench) inForce(version string) {
	b.t.Helper()
	b.until("configuration "+version+" is in force", func(k *host.Kernel) bool {
		z := twin.Row(k, node.ZedAgent, "zedagent")
		return z != nil && z.ConfigVersion == version
	})
}

// is waits until the bundled application is in a state and returns its error.
func (b *bench) is(state entity.SwState) (trouble string) {
	b.t.Helper()
	b.until("the application is "+state.String(), func(k *host.Kernel) bool {
		a := twin.Row(k, app.Statuses, b.draft.AppID("web"))
		if a != nil {
			trouble = a.Error
		}
		return a != nil && a.State == state
	})
	return trouble
}

// answers waits until the bundled application answers, and returns the boot id of its kernel. Its
// port takes connections before it does, and drops them.
func (b *bench) answers() string {
	b.t.Helper()
	b.is(entity.RUNNING)
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	for {
		b.mu.Lock()
		url := b.urls[b.draft.AppID("web")]
		b.mu.Unlock()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		var body struct {
			BootID string `json:"boot_id"`
		}
		x, err := c.Do(r)
		if err == nil {
			err = json.NewDecoder(x.Body).Decode(&body)
			x.Body.Close()
		}
		if err == nil && body.BootID != "" {
			return body.BootID
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("%s does not answer: %v", url, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// children are the process ids of a program that we run.
func children(t *testing.T, program string) (pids []int) {
	t.Helper()
	for _, line := range labtest.Offspring() {
		if pid, found := childOf(line, program); found {
			pids = append(pids, pid)
		}
	}
	return pids
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func ls(t *testing.T, pattern ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
