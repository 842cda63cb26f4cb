package conform_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/hyper"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
)

func TestDirectHyperConforms(t *testing.T) {
	v := newVolumes(t)
	conform.Hyper(t, realPart("direct"), func(t *testing.T) conform.HyperSetup {
		return newHyperLab(t, v, hyper.QEMU, "").setup()
	})
}

func TestDirectHyperOutlives(t *testing.T) {
	v := newVolumes(t)
	conform.HyperOutlives(t, func(t *testing.T) conform.Outliving {
		x := newHyperLab(t, v, hyper.QEMU, "")
		return conform.Outliving{HyperSetup: x.setup(), Keep: x.keeping,
			Suspend: func(app string, stop bool) {
				x.monitor(app, map[bool]string{true: "stop", false: "cont"}[stop])
			},
			TurnOff: func(app string) { x.monitor(app, "quit") },
			Undefine: func(app string) {
				if err := os.Remove(filepath.Join(x.dir, app+".1.1.domain")); err != nil {
					t.Error(err)
				}
			}}
	})
}

// monitor has the monitor for people execute something.
func (x *hyperLab) monitor(app, command string) {
	x.t.Helper()
	c, err := net.Dial("unix", filepath.Join(x.dir, app+".1.1.shell"))
	if err != nil {
		x.t.Fatal(err)
	}
	m, err := qemu.NewClient(x.t.Context(), c, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	err = m.Execute(x.t.Context(), command, nil, nil)
	if err != nil && !errors.Is(err, qemu.ErrMonitorClosed) {
		x.t.Error(err)
	}
	_ = m.Close()
}

// dyingVariable has TestDirectHyperDies be the process that dies.
const dyingVariable = "EVETWIN_HYPER_DIES"

// dying is what that process is to do.
type dying struct {
	Dir, Sys, Name string
	After          time.Duration
}

// TestDirectHyperDies kills the process of the device at twenty moments of a start. That process is
// this test itself, in another process.
func TestDirectHyperDies(t *testing.T) {
	if text := os.Getenv(dyingVariable); text != "" {
		die(t, text)
		return
	}
	v := newVolumes(t)
	conform.HyperDies(t, func(t *testing.T) conform.Dying {
		x := newHyperLab(t, v, hyper.QEMU, "")
		return conform.Dying{HyperSetup: x.setup(), Keep: x.keeping, Die: x.die}
	})
}

// die has another process of the device start a domain and die.
func (x *hyperLab) die(name string, after time.Duration) {
	text, err := json.Marshal(dying{Dir: x.dir, Sys: x.sys, Name: name, After: after})
	if err != nil {
		x.t.Error(err)
		return
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestDirectHyperDies$")
	c.Env = append(os.Environ(), dyingVariable+"="+string(text))
	out, err := c.CombinedOutput()
	var end *exec.ExitError
	if errors.As(err, &end) && end.Sys().(syscall.WaitStatus).Signal() == unix.SIGKILL {
		return
	}
	x.t.Errorf("a process that was to be killed: %v, %s", err, out)
}

// die is the process that dies, by its own hand: none could hit the moment better.
func die(t *testing.T, text string) {
	var d dying
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	x := &hyperLab{t: t, dir: d.Dir, sys: d.Sys, under: hyper.QEMU,
		v:   volumes{machine: guest.Machine{Cache: labtest.Cache(), Kernel: labtest.Kernel(t)}},
		out: &consoles{texts: map[string]*bytes.Buffer{}, heard: make(chan struct{}, 1)}}
	conform.HyperStart(t, x.process(), d.Name, func() {
		time.AfterFunc(d.After, func() {
			if err := unix.Kill(os.Getpid(), unix.SIGKILL); err != nil {
				t.Error(err)
			}
		})
	})
}
