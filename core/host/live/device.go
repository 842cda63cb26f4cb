package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// Options of a device.
type Options struct {
	Name     string
	Seed     uint64
	Agents   []agent.Entry
	Hardware host.Hardware
	// Dir is where the journal of persistent rows lies; empty keeps it in memory.
	Dir string
	// Elsewhere is the rest of a device whose agents run in several processes: it takes the place of
	// the journal, and Dir is empty.
	Elsewhere *host.Elsewhere
	// Booted is when the device booted, if that was before Run; the zero time: it boots then. It holds
	// for the first boot.
	Booted time.Time
	OnTurn func(p *host.Proc, in *host.Input, out *host.Output)
	// Hooks are the device's for all its boots.
	Hooks host.Hooks
	// OnLine takes log lines, also the host's own, on the device's loop.
	OnLine func(from string, at time.Duration, l agent.Line)
	// OnBoot is told of each boot, on the device's loop, before the agents start.
	OnBoot func(k *host.Kernel)
	// SlowStep is how long a turn may take before a line says so; 0 means 5 ms.
	SlowStep time.Duration
	// Grace is how long calls may take to end when the device stops; 0 means 10 s.
	Grace time.Duration
	// Limits on churn. An agent beyond them is slowed down to ten turns a second, and Throttle, if
	// there is one, is told.
	Limits host.Limits
	// Apart has agents take a turn for each batch of a publisher. Batches that a publisher shows in
	// one instant are otherwise often seen together; apart, what is put behind an outcome is seen
	// to be behind it. For tests of parts.
	Apart bool
}

// Device is a device in real time; it is the host.Machine of its parts.
type Device struct {
	o       Options
	born    time.Time
	journal *journal
	skew    time.Duration

	mu    sync.Mutex
	inbox []func()
	bell  chan struct{}
	work  sync.WaitGroup

	// The rest belongs to the loop.
	k      *host.Kernel
	at     time.Time // of this boot
	now    time.Duration
	ready  []*host.Proc
	apart  []delivery // batches that wait for the turns of those before them
	later  timers
	seq    uint64
	cut    bool
	off    time.Duration
	stay   bool
	slowed map[*host.Proc]time.Duration
	spare  []func()
}

// New prepares a device; Run boots it.
func New(o Options) (*Device, error) {
	if o.SlowStep == 0 {
		o.SlowStep = 5 * time.Millisecond
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	d := &Device{o: o, born: time.Now(), bell: make(chan struct{}, 1)}
	j, err := openJournal(o.Dir, func(err error) {
		d.Post(func() {
			d.say(agent.Err, "journal", err.Error()+"; agents that keep rows stand still")
		})
	})
	if err != nil {
		return nil, fmt.Errorf("device %s: %w", o.Name, err)
	}
	d.journal = j
	j.space = func(err error) { d.Post(func() { d.space(err) }) }
	if j.lost > 0 {
		d.Post(func() {
			d.say(agent.Warn, "journal", fmt.Sprintf("the last %d bytes of journal %s were no whole "+
				"record and are cut off", j.lost, j.path))
		})
	}
	return d, nil
}

// Run boots the device and goes on, over reboots, until ctx ends or the device powers itself off.
// It is called once; without it, Close frees what New took.
func (d *Device) Run(ctx context.Context) error {
	d.journal.start()
	defer d.journal.close()
	for {
		if err := d.boot(); err != nil {
			return err
		}
		err := d.loop(ctx)
		if err != nil || d.stay {
			d.stop()
			return err
		}
		d.end()
		if !d.dark(ctx) {
			return nil
		}
	}
}

// Close frees a device that was never run.
func (d *Device) Close() { d.journal.shut() }

// dark waits while the device is off, and for the end of real work that the power cut has
// cancelled: it must not run into the next boot. It reports false if ctx has ended.
func (d *Device) dark(ctx context.Context) bool {
	off := time.NewTimer(d.off)
	defer off.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-off.C:
	}
	limit := time.NewTimer(d.o.Grace)
	defer limit.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-d.idle():
	case <-limit.C:
		d.say(agent.Warn, "reboot", "gave up waiting for calls that do not end")
	}
	return true
}

// idle is closed when no real work is under way.
func (d *Device) idle() <-chan struct{} {
	done := make(chan struct{})
	go func() { d.work.Wait(); close(done) }()
	return done
}

func (d *Device) boot() error {
	n, err := d.journal.boot()
	if err != nil {
		return fmt.Errorf("boot %s: %w", d.o.Name, err)
	}
	d.at, d.cut = time.Now(), false
	if !d.o.Booted.IsZero() {
		d.at, d.o.Booted = d.o.Booted, time.Time{}
	}
	if d.o.Elsewhere != nil {
		n = d.o.Elsewhere.Boot
	}
	d.tick()
	d.ready, d.apart, d.later, d.slowed = nil, nil, nil, nil
	limits := d.o.Limits
	limits.Throttle = d.throttle
	k, err := host.New(d, host.Options{Device: d.o.Name, Seed: d.o.Seed, Boot: n,
		Agents: d.o.Agents, Stored: d.journal.rows(), OnTurn: d.o.OnTurn, OnLine: d.o.OnLine,
		Hooks: d.o.Hooks, Elsewhere: d.o.Elsewhere,
		Wire:   func(k *host.Kernel) { d.k = k; d.o.Hardware.Wire(k, d) },
		Limits: limits,
		Causes: 16, OnPanic: d.broken, Stack: func() string { return string(debug.Stack()) }})
	if err != nil {
		return fmt.Errorf("boot %s: %w", d.o.Name, err)
	}
	d.k = k
	if d.o.OnBoot != nil {
		d.o.OnBoot(k)
	}
	k.Start()
	return nil
}

// end is a power cut: what was not durable is gone.
func (d *Device) end() {
	d.k.Kill()
	n := uint64(time.Now().UnixNano())
	d.o.Hardware.Cut(func(string) uint64 {
		n = n*6364136223846793005 + 1442695040888963407
		return n >> 17
	})
}

// stop ends the device with manners.
func (d *Device) stop() {
	d.k.CancelAll()
	done := d.idle()
	limit := time.NewTimer(d.o.Grace)
	defer limit.Stop()
	for {
		select {
		case <-d.bell:
			d.drain()
			continue
		case <-done:
			d.drain()
		case <-limit.C:
			d.say(agent.Warn, "stop", "gave up waiting for calls that do not end")
		}
		break
	}
	d.end()
}

// errStopped is what Do answers once the loop is gone.
var errStopped = errors.New("the device has stopped")

// Post has f run on the device's loop; safe for any goroutine.
func (d *Device) Post(f func()) {
	d.mu.Lock()
	d.inbox = append(d.inbox, f)
	d.mu.Unlock()
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

// Do runs f on the device's loop and waits for it, also until a device that is off has booted.
func (d *Device) Do(ctx context.Context, f func(k *host.Kernel)) error {
	done := make(chan struct{})
	d.Post(func() { f(d.k); close(done) })
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ask device %s: %w", d.o.Name, errors.Join(errStopped, ctx.Err()))
	}
}

func (d *Device) say(l agent.Level, about, text string) {
	if d.o.OnLine != nil {
		d.o.OnLine("host", d.now, agent.Line{Level: l, About: about, Text: text})
	}
}

// space is told that the disk has no room for the journal, or has room again.
func (d *Device) space(err error) {
	if err == nil {
		d.say(agent.Warn, "journal", "there is room again, nothing was lost")
		return
	}
	d.say(agent.Err, "journal", err.Error()+"; agents that keep rows wait until there is room")
}

// broken is a panic in an agent's turn, which has been discarded.
func (d *Device) broken(p *host.Proc, cause any) {
	again := d.k.Recover(p)
	text := fmt.Sprintf("%s broke in turn %d: %v", p.Name, p.Turn, cause)
	if !again {
		text += "; given up until the next boot"
	}
	d.say(agent.Err, p.Name, text+"\n"+string(debug.Stack()))
}

// throttle slows an agent that spins down to ten turns a second.
func (d *Device) throttle(p *host.Proc, why string) {
	if d.slowed == nil {
		d.slowed = map[*host.Proc]time.Duration{}
	}
	if _, known := d.slowed[p]; !known {
		d.say(agent.Err, p.Name, p.Name+" "+why+"; slowed down")
	}
	d.slowed[p] = d.now + 100*time.Millisecond
	if d.o.Limits.Throttle != nil {
		d.o.Limits.Throttle(p, why)
	}
}

// Reboot cuts the power at the end of this step of the loop and boots again after off.
func (d *Device) Reboot(off time.Duration) { d.cut, d.off = true, off }

// PowerOff cuts the power at the end of this step of the loop; Run returns.
func (d *Device) PowerOff() { d.cut, d.stay = true, true }

// Time is the time since the device was made, over reboots.
func (d *Device) Time() time.Duration { return time.Since(d.born) }

// TrueWall is the machine's clock.
func (d *Device) TrueWall() time.Time { return time.Now() }

// SetClock makes the device's wall clock differ from the machine's by skew.
func (d *Device) SetClock(skew time.Duration) { d.skew = skew }

var _ host.Machine = (*Device)(nil)
