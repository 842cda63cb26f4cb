package clock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/host"
)

// Options of the part.
type Options struct {
	// Space is the network namespace by its name under /run/netns; empty: that of the process.
	Space string
	// ResolvConf is the file with the name servers; empty: "/etc/resolv.conf".
	ResolvConf string
	// Sys is where sysfs is mounted; empty means /sys.
	Sys string
	// Port is where servers are asked; 0 means 123.
	Port uint16
	// State is a folder on a tmpfs: a process that is started again finds there that the clock was set
	// since the boot of the kernel. Empty: nothing is remembered.
	State string
	// OnError is told why that could not be remembered, from any goroutine; may be nil.
	OnError func(error)
	// Set sets the system's clock; nil: by clock_settime. One that does nothing leaves the clock of a
	// machine alone that is not the device's.
	Set func(t time.Time) error

	dns uint16 // where name servers are asked; 0 means 53
}

// Clock is the part.
type Clock struct{ o Options }

// New makes the part; it touches nothing before it is wired.
func New(o Options) *Clock {
	if o.Sys == "" {
		o.Sys = "/sys"
	}
	if o.Port == 0 {
		o.Port = 123
	}
	if o.ResolvConf == "" {
		o.ResolvConf = "/etc/resolv.conf"
	}
	if o.Set == nil {
		o.Set = set
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	if o.dns == 0 {
		o.dns = 53
	}
	return &Clock{o}
}

// set sets the system's clock.
func set(t time.Time) error {
	ts := unix.NsecToTimespec(t.UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
}

// Wire shows the clock and serves the op of the part on a boot.
func (c *Clock) Wire(k *host.Kernel) {
	pt := k.Part("clock")
	seen := bus.Publish(pt, device.Clock)
	row := device.ClockSeen{RTC: c.rtc()}
	row.Synced = row.RTC || c.remembers()
	seen.Put(row)
	seen.Complete()
	host.Serve(pt, device.Sync, func(r host.Run[device.SyncReq, device.None]) {
		servers := r.Req().Servers
		r.Go(func(ctx context.Context) (device.None, *agent.Fault) {
			err := c.sync(ctx, servers)
			if err == nil {
				c.remember()
			}
			return device.None{}, fault(err)
		}, func(n device.None, f *agent.Fault) {
			if f == nil {
				row.Synced = true
				seen.Put(row)
			}
			r.Finish(n, f)
		})
	})
}

// rtc reports whether the kernel set its clock by one that runs without power.
func (c *Clock) rtc() bool {
	all, err := filepath.Glob(filepath.Join(c.o.Sys, "class/rtc/rtc*/hctosys"))
	if err != nil {
		return false
	}
	for _, path := range all {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 && text[0] == '1' {
			return true
		}
	}
	// A guest whose kernel knows no such device has its clock from the hypervisor.
	text, err := os.ReadFile(filepath.Join(c.o.Sys,
		"devices/system/clocksource/clocksource0/current_clocksource"))
	return err == nil && len(text) >= 3 && string(text[:3]) == "kvm"
}

// perServer is how long a server has for an answer.
const perServer = 5 * time.Second

// errSet says that the system did not let its clock be set.
var errSet = errors.New("the clock cannot be set")

// sync sets the clock by the first server that answers.
func (c *Clock) sync(ctx context.Context, servers []string) error {
	if len(servers) == 0 {
		return errors.New("set the clock: no time server is named")
	}
	var errs []error
	for _, s := range servers {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		offset, err := c.ask(ctx, s)
		if err != nil {
			errs = append(errs, fmt.Errorf("ask %s for the time: %w", s, err))
			continue
		}
		if err := c.o.Set(time.Now().Add(offset)); err != nil {
			return fmt.Errorf("set the clock by %s: %w: %w", s, errSet, err)
		}
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err // what servers did not answer says nothing then
	}
	return errors.Join(errs...)
}

// ask asks a server, at each of its addresses, how far our clock is behind.
func (c *Clock) ask(ctx context.Context, server string) (offset time.Duration, err error) {
	addrs, err := c.resolve(ctx, server)
	if err != nil {
		return 0, err
	}
	for _, a := range addrs {
		one, cancel := context.WithTimeout(ctx, perServer)
		var conn net.Conn
		conn, err = c.dial(one, "udp", net.JoinHostPort(a, fmt.Sprint(c.o.Port)))
		if err == nil {
			offset, err = query(one, conn)
			err = errors.Join(err, conn.Close())
		}
		cancel()
		if err == nil {
			return offset, nil
		}
	}
	return 0, err
}

// fault is an error as callers get it, nil for none.
func fault(err error) *agent.Fault {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return &agent.Fault{Code: agent.FaultCancelled, Text: err.Error(), Retry: true}
	case errors.Is(err, errSet):
		return &agent.Fault{Code: device.FaultFailed, Text: err.Error(), Retry: true}
	}
	return &agent.Fault{Code: device.FaultNoServer, Text: err.Error(), Retry: true}
}
