package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/power"
	"github.com/evetwin/evetwin/core/host"
)

// cardReset is the flag of a watchdog that says that it reset the device.
const cardReset = 0x20

// Options of New.
type Options struct {
	// Disk is the disk with the operating system, a device or an image.
	Disk string
	// Current tells the label of the partition that runs; see FromCommandLine.
	Current func() (string, error)
	// Version tells the version of the image on a partition, empty for none; nil: nobody knows.
	Version func(label string) string
	// Told is a file below /run that tells later processes of a boot how it came about; empty: each
	// process is a boot of its own.
	Told string
	// Root is the folder with /persist, "/" on a device.
	Root string
	// Durable is how files are written.
	Durable durable.Disk
	// Before is asked before each write to the table, with its place; nil: nobody asks.
	Before func(at int64) error
	// PowerCycles is how often the disk's power was switched on, as SMART has it; nil, or false: the
	// disk does not count.
	PowerCycles func() (uint64, bool)
	// Watchdog is the device node of the hardware watchdog, which is fed while the device runs; empty
	// or not there: there is none. Status is the file with its flags at boot.
	Watchdog, Status string
	// Reset resets the device or switches it off, and returns only with an error; nil: with reboot(2).
	Reset func(off bool) error
	// OnError is told what failed at boot; nil: nobody is.
	OnError func(err error)
}

// Part is the parts boot and power.
type Part struct {
	o     Options
	files files
	dog   *watchdog

	mu   sync.Mutex // one works on disk and files at a time
	boot uint64     // who works for an earlier boot has no business with either
}

// New makes the part.
func New(o Options) *Part {
	if o.Version == nil {
		o.Version = func(string) string { return "" }
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	if o.Reset == nil {
		o.Reset = reset
	}
	return &Part{o: o, files: files{o.Root, o.Durable}}
}

// reset resets the device or switches it off.
func reset(off bool) error {
	unix.Sync()
	how := unix.LINUX_REBOOT_CMD_RESTART
	if off {
		how = unix.LINUX_REBOOT_CMD_POWER_OFF
	}
	return unix.Reboot(how)
}

// FromCommandLine finds the partition that runs in the kernel's command line, which has its label
// as "img=A" or in "root=PARTLABEL=IMGA". file is /proc/cmdline.
func FromCommandLine(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("find the partition that runs: %w", err)
	}
	for _, word := range strings.Fields(string(text)) {
		switch word {
		case "img=A", "root=PARTLABEL=" + device.ImgA:
			return device.ImgA, nil
		case "img=B", "root=PARTLABEL=" + device.ImgB:
			return device.ImgB, nil
		}
	}
	return "", errors.New("find the partition that runs: the command line does not tell")
}

// Halt ends the boot: work of it that has not begun is not done, and what is under way is waited
// for. The watchdog goes on counting, so that a device that stops by mistake is reset.
func (p *Part) Halt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.boot++
	if p.dog != nil {
		_ = p.dog.node.Close()
		p.dog = nil
	}
}

// errOver says that a boot has ended.
var errOver = errors.New("the boot is over")

// alone runs f while nobody else works on disk and files, unless the boot is over.
func (b *boot) alone(f func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.number != b.Part.boot {
		return errOver
	}
	return f()
}

// boot is the part in one boot.
type boot struct {
	*Part
	number  uint64
	current string
	parts   *bus.Pub[device.PartSeen]
}

// Wire takes the record of the last reset, shows it and the partitions, and serves the ops. It
// reads and writes a few small files before it returns: nothing of the device runs yet.
func (p *Part) Wire(k *host.Kernel) {
	pt := k.Part("boot")
	b := &boot{Part: p, parts: bus.Publish(pt, device.Parts)}
	seen := bus.Publish(pt, device.Boot)
	p.mu.Lock()
	p.boot++
	b.number = p.boot
	var err error
	if b.current, err = p.o.Current(); err != nil {
		p.o.OnError(err)
	}
	states, err := readStates(p.o.Disk)
	if err != nil {
		p.o.OnError(err)
	} else {
		b.show(states)
		b.parts.Complete()
	}
	seen.Put(b.once())
	seen.Complete()
	if p.dog == nil {
		p.dog = openWatchdog(p.o.Watchdog)
	}
	dog := p.dog
	p.mu.Unlock()
	host.Serve(pt, device.SetReason, b.setReason)
	host.Serve(pt, device.Mark, b.mark)
	if dog != nil {
		dog.feed(pt)
	}
	host.Serve(k.Part("power"), power.Reset, b.reset)
}

// story is how this boot came about.
func (b *boot) story() device.BootSeen {
	r, err := b.files.take()
	if err != nil {
		b.o.OnError(err)
	}
	was, again, err := b.files.count(counterFile, func(was uint64) uint64 { return was + 1 })
	if err != nil {
		b.o.OnError(err)
	}
	row := device.BootSeen{First: !again, RestartCounter: uint32(was + 1), Reason: r.Reason,
		RebootReason: r.Text, RebootStack: r.Stack, RebootImage: r.image,
		Watchdog: b.byWatchdog(), HWWatchdog: exists(b.o.Watchdog)}
	if r.Reason == "" {
		row.RebootImage = b.o.Version(b.current)
	} else {
		row.RebootTime = r.at.UTC()
	}
	var cycled bool
	cycled, row.CountsPower = b.cycled()
	row.PowerCycled = cycled && r.Reason == ""
	return row
}

// cycled reports whether the power was off since the last boot, and whether the disk can tell.
func (b *boot) cycled() (cycled, counts bool) {
	if b.o.PowerCycles == nil {
		return false, false
	}
	now, ok := b.o.PowerCycles()
	if !ok {
		return false, false
	}
	was, known, err := b.files.count(cyclesFile, func(uint64) uint64 { return now })
	if err != nil {
		b.o.OnError(err)
	}
	return known && now > was, true
}

// byWatchdog reports whether the hardware watchdog reset the device.
func (b *boot) byWatchdog() bool {
	if b.o.Status == "" {
		return false
	}
	text, err := os.ReadFile(b.o.Status)
	if err != nil {
		return false
	}
	flags, err := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 32)
	return err == nil && flags&cardReset != 0
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}

// show shows the partitions as they are.
func (b *boot) show(states []state) {
	there := map[string]bool{}
	for _, s := range states {
		there[s.label] = true
		b.parts.Put(device.PartSeen{Label: s.label, State: s.state, Version: b.o.Version(s.label),
			Current: s.label == b.current})
	}
	b.parts.Keep(func(label string) bool { return there[label] })
}

func (b *boot) setReason(c host.Run[device.ReasonReq, device.None]) {
	q, f := c.Req().Trim()
	if f != nil {
		c.Fail(f.Code, f.Text, f.Retry)
		return
	}
	c.Go(func(context.Context) (device.None, *agent.Fault) {
		return device.None{}, fault(b.alone(func() error {
			return b.files.keep(q, b.o.Version(b.current))
		}))
	}, c.Finish)
}

func (b *boot) mark(c host.Run[device.MarkReq, device.None]) {
	q := *c.Req()
	want := []state{{label: q.Label, state: q.State}}
	if q.State == device.Active {
		other := device.ImgA
		if q.Label == device.ImgA {
			other = device.ImgB
		}
		want = append(want, state{label: other, state: device.Unused, optional: true})
	}
	refused := q.Check(b.current)
	var states []state
	c.Go(func(context.Context) (device.None, *agent.Fault) {
		return device.None{}, fault(b.alone(func() (err error) {
			if refused == nil {
				err = writeStates(b.o.Disk, want, b.o.Before)
			}
			var readErr error
			states, readErr = readStates(b.o.Disk) // what there is, whatever became of it
			return errors.Join(err, readErr)
		}))
	}, func(res device.None, f *agent.Fault) {
		if states != nil {
			b.show(states)
			b.parts.Complete()
		}
		if refused != nil {
			f = refused
		}
		c.Finish(res, f)
	})
}

func (b *boot) reset(c host.Run[power.Req, power.None]) {
	off := c.Req().Off
	c.Go(func(context.Context) (power.None, *agent.Fault) {
		return power.None{}, fault(b.o.Reset(off))
	}, c.Finish)
}

// fault is an error as callers get it, nil for none.
func fault(err error) *agent.Fault {
	if err == nil {
		return nil
	}
	if errors.Is(err, errNoPart) {
		return &agent.Fault{Code: device.FaultNoPart, Text: err.Error()}
	}
	return &agent.Fault{Code: device.FaultIO, Text: err.Error(), Retry: true}
}
