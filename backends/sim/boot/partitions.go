package boot

import (
	"time"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	deviceboot "github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/host"
)

// load is the boot loader: it takes a partition, and the one that runs if none can be taken.
func load(r *disk.BootRecord) {
	attributes := make([]uint16, len(r.Partitions))
	for i, p := range r.Partitions {
		attributes[i] = deviceboot.Attributes(p.State)
	}
	if chosen, after := deviceboot.Choose(attributes); chosen >= 0 {
		r.Current = chosen
		r.Partitions[chosen].State = deviceboot.StateOf(after)
	}
}

// show shows the partitions as they are.
func show(parts *bus.Pub[deviceboot.PartSeen], r *disk.BootRecord) {
	for i, p := range r.Partitions {
		parts.Put(deviceboot.PartSeen{Label: p.Label, State: p.State, Version: p.Version,
			Current: i == r.Current})
	}
}

func (b *Boot) wireBoot(k *host.Kernel) {
	pt := k.Part("boot")
	parts, seen := bus.Publish(pt, deviceboot.Parts), bus.Publish(pt, deviceboot.Boot)
	r := &b.Disk.Boot
	r.Boots++
	load(r)
	show(parts, r)
	row := deviceboot.BootSeen{First: r.Boots == 1, Reason: r.Reason, RebootReason: r.Text,
		RebootStack: r.Stack, RestartCounter: r.Boots, PowerCycled: r.Cycled && r.Reason == "",
		RebootImage: r.Partitions[r.Current].Version, Watchdog: r.Watchdog}
	if r.Image != "" {
		row.RebootImage = r.Image
	}
	if r.Unix != 0 {
		row.RebootTime = time.Unix(r.Unix, 0).UTC()
	}
	r.Reason, r.Text, r.Stack, r.Image, r.Unix = "", "", "", "", 0
	r.Cycled, r.Watchdog = false, false
	seen.Put(row)
	seen.Complete()
	parts.Complete()
	host.Serve(pt, deviceboot.SetReason, func(c host.Run[deviceboot.ReasonReq, deviceboot.None]) {
		c.After(c.Latency(time.Millisecond, 10*time.Millisecond), func() {
			q, f := c.Req().Trim()
			if f != nil {
				c.Fail(f.Code, f.Text, f.Retry)
				return
			}
			if r.Reason == "" {
				r.Reason, r.Text, r.Stack = q.Reason, q.Text, q.Stack
				r.Image, r.Unix = r.Partitions[r.Current].Version, pt.Wall().Unix()
			}
			c.Done(deviceboot.None{})
		})
	})
	host.Serve(pt, deviceboot.Mark, func(c host.Run[deviceboot.MarkReq, deviceboot.None]) {
		c.After(c.Latency(10*time.Millisecond, 50*time.Millisecond), func() {
			f := mark(r, c.Req())
			show(parts, r)
			c.Finish(deviceboot.None{}, f)
		})
	})
}

// mark gives a partition another state.
func mark(r *disk.BootRecord, q *deviceboot.MarkReq) *agent.Fault {
	if f := q.Check(r.Partitions[r.Current].Label); f != nil {
		return f
	}
	for i := range r.Partitions {
		p := &r.Partitions[i]
		switch {
		case p.Label == q.Label:
			p.State = q.State
		case q.State == deviceboot.Active:
			p.State = deviceboot.Unused
		}
	}
	return nil
}
