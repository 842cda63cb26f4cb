package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub/wiring"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// Options of a hub.
type Options struct {
	// Name is the device's, Seed what its draws derive from.
	Name string
	Seed uint64
	// Socket is the path where agents connect: at most 107 bytes. Beside it lies a file that names
	// the life of the device, so that a hub that is started again goes on with it.
	Socket string
	// Dir is where the journal lies; empty keeps it in memory.
	Dir string
	// Agents are those that may connect. They are built for their wiring and never run here.
	Agents []agent.Entry
	// Hardware has the device's parts, which run in this process.
	Hardware host.Hardware
	// OnLine takes log lines of the host's own, on the device's loop.
	OnLine func(from string, at time.Duration, l agent.Line)
	// OnSaid takes log lines of the agents' processes, each from a goroutine of its process; it must
	// not wait.
	OnSaid func(from string, at time.Duration, l agent.Line)
	// Patience is how long a process waits for the one that is the agent of its name to end; 0 means
	// 5 s.
	Patience time.Duration
}

// Hub is a device whose agents are elsewhere.
type Hub struct {
	o      Options
	dev    *live.Device
	lis    *net.UnixListener
	lock   *os.File
	wires  map[string]wiring.Wiring // by agent
	ended  chan struct{}
	served sync.WaitGroup

	// mu guards what follows; of a turn, all tables move while it is held.
	mu       sync.Mutex
	boot     *boot // nil while the device is off
	changed  chan struct{}
	tables   map[string]*table
	holders  map[string]*session // by agent
	sessions map[*session]bool
	watches  map[*Watch]bool
	lives    map[string]*Agent // by name, in this boot
	starts   uint64            // processes that came
	rung     []*session        // those for whom there is news
	moved    int               // rows that moved since mu was taken

	// The rest belongs to the device's loop.
	life    life
	stored  []host.Stored
	boots   int
	cutting bool // the parts asked for a reboot, or for power off
}

// boot is one boot of the device.
type boot struct {
	k      *host.Kernel
	count  uint64
	life   life
	relays map[string]*relay // by agent
	skew   time.Duration
}

// New prepares a hub and listens; Run boots the device and serves. It fails where a hub is alive.
func New(o Options) (*Hub, error) {
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	h := &Hub{o: o, wires: map[string]wiring.Wiring{}, changed: make(chan struct{}),
		tables: map[string]*table{}, holders: map[string]*session{}, sessions: map[*session]bool{},
		watches: map[*Watch]bool{}, lives: map[string]*Agent{}, ended: make(chan struct{})}
	for _, e := range o.Agents {
		h.wires[e.Name] = wiring.Of(e)
	}
	if err := h.listen(); err != nil {
		return nil, fmt.Errorf("hub %s: %w", o.Name, err)
	}
	var err error
	h.life, err = readLife(h.lifePath())
	if err == nil {
		h.dev, err = live.New(live.Options{Name: o.Name, Seed: o.Seed, Dir: o.Dir, Hardware: parts{h},
			Agents: h.relays(), Booted: h.life.since(), OnLine: o.OnLine, OnBoot: h.booted,
			Limits: host.Limits{PutsPerMinute: -1, TurnsPerInstant: 1 << 30}})
	}
	if err != nil {
		h.unlisten()
		return nil, fmt.Errorf("hub %s: %w", o.Name, err)
	}
	return h, nil
}

// Device is the device: its loop, its boots.
func (h *Hub) Device() *live.Device { return h.dev }

// Close frees a hub that was never run.
func (h *Hub) Close() {
	h.dev.Close()
	h.unlisten()
}

// Run boots the device and serves agents until ctx ends or the device powers itself off.
func (h *Hub) Run(ctx context.Context) error {
	h.served.Add(1)
	go h.accept()
	err := h.dev.Run(ctx)
	close(h.ended)
	h.unlisten()
	h.cutOff()
	h.served.Wait()
	return err
}

func (h *Hub) lifePath() string { return h.o.Socket + ".life" }

// listen makes the socket. A lock beside it tells a hub that lives from the socket of a dead one.
func (h *Hub) listen() error {
	if err := os.MkdirAll(filepath.Dir(h.o.Socket), 0o700); err != nil {
		return err
	}
	lock, err := lockFile(h.o.Socket + ".lock")
	if err != nil {
		return err
	}
	if err := os.Remove(h.o.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, lock.Close())
	}
	h.lis, err = net.ListenUnix("unix", &net.UnixAddr{Name: h.o.Socket, Net: "unix"})
	if err == nil {
		err = os.Chmod(h.o.Socket, 0o600)
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	h.lock = lock
	return nil
}

func (h *Hub) unlisten() {
	_ = h.lis.Close()
	h.lock.Close()
}

// accept takes connections until the socket closes.
func (h *Hub) accept() {
	defer h.served.Done()
	for {
		c, err := h.lis.AcceptUnix()
		if err != nil {
			return
		}
		h.served.Add(1)
		go func() {
			defer h.served.Done()
			h.serve(c)
		}()
	}
}

// booted makes a boot of the device the one that is served. It runs on the loop.
func (h *Hub) booted(k *host.Kernel) {
	b := &boot{k: k, count: k.BootCount(), life: h.life, relays: map[string]*relay{}}
	for _, p := range k.Procs() {
		if r, ok := p.Slot.(*relay); ok {
			b.relays[r.name] = r
		}
	}
	h.mu.Lock()
	h.boot, h.lives = b, map[string]*Agent{}
	h.load(k)
	h.turn()
	h.mu.Unlock()
}

// turn wakes those who wait for something to change in the hub itself; mu is held.
func (h *Hub) turn() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// cutOff ends the boot for all who are connected.
func (h *Hub) cutOff() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.boot = nil
	for s := range h.sessions {
		_ = s.conn.Close()
	}
	h.turn()
}

// awaitBoot waits until the device is on; nil means that it never will be again.
func (h *Hub) awaitBoot() *boot {
	for {
		h.mu.Lock()
		b, changed := h.boot, h.changed
		h.mu.Unlock()
		if b != nil {
			return b
		}
		select {
		case <-changed:
		case <-h.ended:
			return nil
		}
	}
}

// say writes a line of the hub's own, from any goroutine.
func (h *Hub) say(l agent.Level, about, text string) {
	if h.o.OnLine == nil {
		return
	}
	h.dev.Post(func() {
		at := time.Duration(0)
		if b := h.current(); b != nil {
			at = b.k.Now()
		}
		h.o.OnLine("hub", at, agent.Line{Level: l, About: about, Text: text})
	})
}
