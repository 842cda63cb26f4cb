package clock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/clock/timeserver"
	simboot "github.com/evetwin/evetwin/backends/sim/boot"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// wired is the hardware of a device with a part clock.
type wired struct {
	wire func(k *host.Kernel, m host.Machine)
}

// Wire wires it.
func (w wired) Wire(k *host.Kernel, m host.Machine) { w.wire(k, m) }

// Cut does nothing.
func (wired) Cut(func(string) uint64) {}

// setter asks for the time, if it is to, and tells how that ended.
type setter struct {
	servers []string
	seen    *bus.Sub[device.ClockSeen]
	sync    *agent.Calls[device.SyncReq, device.None]
	tell    func(before, after device.ClockSeen, f *agent.Fault)
	first   *device.ClockSeen
}

// Step is one turn.
func (s *setter) Step(*agent.Turn) {
	row := s.seen.Get(device.ClockSeen{}.Key())
	if row == nil {
		return
	}
	if s.first == nil {
		was := *row
		s.first = &was
	}
	if s.servers == nil {
		s.tell(*s.first, *row, nil)
		return
	}
	if c := s.sync.Want("clock", device.SyncReq{Servers: s.servers}); c.Phase >= agent.Done {
		s.tell(*s.first, *row, c.Fault)
	}
}

// life runs a device until it has asked servers, none for a look alone.
func life(t *testing.T, hw host.Hardware, servers ...string) (before, after device.ClockSeen,
	f *agent.Fault,
) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	told := false
	d, err := live.New(live.Options{Name: "edge", Hardware: hw, Agents: []agent.Entry{
		{Name: "waitforaddr", New: func(p bus.Port) agent.Agent {
			return &setter{servers: servers, seen: bus.Subscribe(p, device.Clock),
				sync: agent.Use(p, device.Sync), tell: func(was, is device.ClockSeen, why *agent.Fault) {
					told, before, after, f = true, was, is, why
					stop()
				}}
		}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(ctx); err != nil || !told {
		t.Fatal("the device ended early", err)
	}
	return before, after, f
}

// part is a device with the part of a machine that has no clock of its own.
func part(t *testing.T, o Options) wired {
	if o.Sys == "" {
		o.Sys = t.TempDir()
	}
	if o.Set == nil {
		o.Set = func(time.Time) error { return nil }
	}
	return wired{func(k *host.Kernel, _ host.Machine) { New(o).Wire(k) }}
}

// A process that is started again in the same boot of the kernel knows that the clock was set; one
// of the next boot does not.
func TestTheClockStaysSet(t *testing.T) {
	o := Options{Port: datagrams(t, "127.0.0.1", 0, right(0)), Sys: t.TempDir(),
		State:   filepath.Join(t.TempDir(), "clock"),
		OnError: func(err error) { t.Error(err) }}
	was, is, f := life(t, part(t, o), "127.0.0.1")
	if was.Synced || !is.Synced || f != nil {
		t.Fatalf("first %+v, then %+v: %v", was, is, f)
	}
	if again, _, _ := life(t, part(t, o)); !again.Synced || again.RTC {
		t.Errorf("the next process sees %+v", again)
	}
	note := filepath.Join(o.State, "clock.json")
	write(t, note, `{"Boot": "another", "Synced": true}`)
	if next, _, _ := life(t, part(t, o)); next.Synced {
		t.Errorf("in the next boot of the kernel the clock is %+v", next)
	}
	if err := os.Remove(note); err != nil {
		t.Fatal(err)
	}
	o.Set = func(time.Time) error { return errors.New("it is nailed down") }
	_, is, f = life(t, part(t, o), "127.0.0.1")
	if _, err := os.Stat(note); err == nil || is.Synced || f == nil || f.Code != device.FaultFailed {
		t.Errorf("a clock that cannot be set is %+v, %v, noted: %v", is, f, err == nil)
	}
}

// A folder that cannot be made keeps nobody from setting the clock.
func TestTheClockCannotBeRemembered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	errs := make(chan error, 9)
	_, is, f := life(t, part(t, Options{Port: datagrams(t, "127.0.0.1", 0, right(0)), State: file,
		OnError: func(err error) { errs <- err }}), "127.0.0.1")
	if !is.Synced || f != nil {
		t.Errorf("the clock is %+v: %v", is, f)
	}
	if len(errs) != 2 { // when it is read and when it is written
		t.Errorf("%d times it is said that nothing can be remembered", len(errs))
	}
}

// A clock that runs without power is trusted.
func TestAClockOfItsOwn(t *testing.T) {
	for file, text := range map[string]string{"class/rtc/rtc0/hctosys": "1\n",
		"devices/system/clocksource/clocksource0/current_clocksource": "kvm-clock\n"} {
		sys := t.TempDir()
		path := filepath.Join(sys, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
		if is, _, _ := life(t, part(t, Options{Sys: sys})); !is.RTC || !is.Synced {
			t.Errorf("%s: the clock is %+v", file, is)
		}
		write(t, path, "0 or another\n")
		if is, _, _ := life(t, part(t, Options{Sys: sys})); is.RTC || is.Synced {
			t.Errorf("%s says no: the clock is %+v", file, is)
		}
	}
}

// The model and the real part tell alike that no server knows the time.
func TestModelAndRealPartFailAlike(t *testing.T) {
	port := datagrams(t, "127.0.0.1", 0, func(q []byte) [][]byte {
		p := timeserver.Answer(q, time.Now())
		p[1] = 0
		return [][]byte{p}
	})
	model := wired{func(k *host.Kernel, m host.Machine) {
		b := &simboot.Boot{Disk: disk.New(1<<30, 1<<20),
			NTP: func([]string) (bool, time.Duration) { return false, time.Millisecond }}
		b.Wire(k, m)
	}}
	for name, hw := range map[string]wired{"model": model, "real": part(t, Options{Port: port})} {
		was, is, f := life(t, hw, "127.0.0.1")
		if was.Synced || is.Synced || f == nil || f.Code != device.FaultNoServer || !f.Retry ||
			!strings.Contains(f.Text, "the clock") && !strings.Contains(f.Text, "the time") {
			t.Errorf("%s: %+v, then %+v: %v", name, was, is, f)
		}
	}
}
