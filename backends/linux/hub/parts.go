package hub

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// parts is the hardware of the hub's device: that of its options, and a part of the hub's own.
type parts struct{ h *Hub }

// Wire declares the parts of a boot.
func (p parts) Wire(k *host.Kernel, m host.Machine) {
	h := p.h
	h.boots++
	if h.cutting {
		h.cutting = false
		l, err := newLife(h.lifePath())
		if h.life = l; err != nil {
			h.say(agent.Err, "life", err.Error())
		}
	}
	h.stored = k.Stored()
	h.o.Hardware.Wire(k, machine{m, h})
}

// Cut ends the boot.
func (p parts) Cut(draw func(string) uint64) {
	p.h.cutOff()
	if p.h.cutting {
		_ = os.Remove(p.h.lifePath()) // a process that goes on after this is of another life
	}
	p.h.o.Hardware.Cut(draw)
}

// machine tells the hub that the life of the device ends.
type machine struct {
	host.Machine
	h *Hub
}

// Reboot cuts the power at the end of this step of the loop and boots again after off.
func (m machine) Reboot(off time.Duration) {
	m.h.cutting = true
	m.Machine.Reboot(off)
}

// PowerOff cuts the power at the end of this step of the loop.
func (m machine) PowerOff() {
	m.h.cutting = true
	m.Machine.PowerOff()
}

// pull takes over what parts have shown since. It runs on the loop, before anybody is told of the
// end of a call, so that an outcome is behind the rows it caused.
func (h *Hub) pull(k *host.Kernel) {
	type moved struct {
		t    *table
		now  bus.Head
		list []change
	}
	var all []moved
	h.mu.Lock()
	b := h.boot
	if b != nil && b.k == k {
		b.skew = time.Until(k.Wall()).Round(time.Millisecond)
		for _, t := range h.tables {
			if t.part == nil {
				continue
			}
			if now, ok := k.Head(t.part); ok && !now.Same(t.shown) {
				all = append(all, moved{t: t, now: now})
			}
		}
	}
	h.mu.Unlock()
	if len(all) == 0 {
		return
	}
	for i := range all {
		m := &all[i]
		for key, v := range m.now.Since(m.t.shown) {
			c := change{key: key, rev: m.now.Rev()}
			if v != nil {
				js, err := json.Marshal(v)
				if err != nil {
					panic(fmt.Sprintf("hub: encode row %s of %s: %v", key, m.t.name, err))
				}
				_, c.rev = m.now.Get(key)
				c.row = &Row{JSON: js, Rev: c.rev, Version: m.t.part.Version}
			}
			m.list = append(m.list, c)
		}
	}
	h.mu.Lock()
	defer h.release()
	for _, m := range all {
		m.t.shown = m.now
		m.t.open = m.t.open || m.now.Complete() || m.now.Len() > 0
		h.show(m.t, m.list, m.now.Rev(), m.now.Complete())
	}
}

// follower is the agent that follows the topics of the parts.
type follower struct{ h *Hub }

// Step takes over what moved.
func (f follower) Step(*agent.Turn) {
	if b := f.h.current(); b != nil {
		f.h.pull(b.k)
	}
}

// current is the boot that is served, nil if there is none.
func (h *Hub) current() *boot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boot
}

// follow makes the follower of a boot.
func (h *Hub) follow(p bus.Port) agent.Agent {
	for _, d := range p.(*host.Proc).Kernel().Topics() {
		if d.Owner != pokes {
			p.Subscribe(d, bus.Optional)
		}
	}
	return follower{h}
}
