package host

import (
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Limits on what agents may do; beyond them something spins, leaks or wears the flash out.
type Limits struct {
	TurnsPerInstant int           // turns of one agent without time passing; 0: 100
	TurnsPerMinute  int           // turns of one agent; 0: 1,000
	PutsPerMinute   int           // puts of one row; 0: 100, negative: any
	DurablePerHour  int           // durable turns of one agent in a calm hour; 0: 60, negative: any
	CalmAfter       time.Duration // hours that begin earlier are not calm; 0: one hour after boot
	Deadlines       int           // of one agent; 0: 1,000
	Calls           int           // of one agent and op; 0: 1,000
	LateCancel      uint64        // one in n cancelled calls still takes effect; 0: none
	// Throttle is told of each turn or put beyond a limit, on the device's loop, instead of a panic;
	// nil panics. The live host slows the agent down in any case, and tells Throttle too.
	Throttle func(p *Proc, why string)
}

func (l *Limits) defaults() {
	set := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	set(&l.TurnsPerInstant, 100)
	set(&l.TurnsPerMinute, 1000)
	set(&l.PutsPerMinute, 100)
	set(&l.DurablePerHour, 60)
	set(&l.Deadlines, 1000)
	set(&l.Calls, 1000)
	if l.CalmAfter == 0 {
		l.CalmAfter = time.Hour
	}
}

// fuel counts an agent's turns.
type fuel struct {
	at      time.Duration
	instant int
	minute  time.Duration
	turns   int
	hour    time.Duration
	durable int
}

// churn counts puts of a topic's rows. Few puts are only noted; they are counted by row once a row
// can be beyond the limit, or there are many.
type churn struct {
	minute uint32 // since boot
	noted  []string
	rows   map[string]int
}

// maxNoted bounds the puts of a topic that are noted.
const maxNoted = 256

// burn counts a turn.
func (k *Kernel) burn(p *Proc, now time.Duration) {
	f, l := &p.fuel, &k.o.Limits
	if f.at != now {
		f.at, f.instant = now, 0
	}
	if m := now / time.Minute; f.minute != m {
		f.minute, f.turns = m, 0
	}
	f.instant++
	f.turns++
	perMinute := max(l.TurnsPerMinute, p.entry.Turns)
	switch {
	case f.instant > l.TurnsPerInstant:
		k.excess(p, fmt.Sprintf("took %d turns in one instant", f.instant))
	case f.turns > perMinute:
		k.excess(p, fmt.Sprintf("took %d turns in a minute", f.turns))
	}
}

// beat counts a put.
func (k *Kernel) beat(src *Source, r *Change) {
	c, l := &r.shelf.churn, &k.o.Limits
	if l.PutsPerMinute < 0 {
		return
	}
	if m := uint32(k.drv.Now() / time.Minute); c.minute != m {
		c.minute, c.noted, c.rows = m, c.noted[:0], nil
	}
	limit := max(l.PutsPerMinute, r.Topic.MaxPuts)
	if c.rows == nil {
		c.noted = append(c.noted, r.Key)
		if len(c.noted) <= min(limit, maxNoted) {
			return
		}
		c.rows = map[string]int{}
		for _, key := range c.noted[:len(c.noted)-1] {
			c.rows[key]++
		}
	}
	c.rows[r.Key]++
	n := c.rows[r.Key]
	if n <= limit {
		return
	}
	why := fmt.Sprintf("put row %s of %s %d times in a minute", r.Key, r.Topic, n)
	if p := k.Proc(src.Name); p != nil {
		k.excess(p, why)
	} else {
		k.beyond(r.shelf, "host: part "+src.Name+" "+why)
	}
}

// wear counts a durable turn.
func (k *Kernel) wear(p *Proc) {
	f, l := &p.fuel, &k.o.Limits
	now := k.drv.Now()
	if h := now / time.Hour; f.hour != h {
		f.hour, f.durable = h, 0
	}
	f.durable++
	if l.DurablePerHour > 0 && f.hour*time.Hour >= l.CalmAfter && f.durable > l.DurablePerHour {
		k.excess(p, fmt.Sprintf("wrote %d durable turns in an hour", f.durable))
	}
}

// excess ends the run, or has the agent throttled.
func (k *Kernel) excess(p *Proc, why string) {
	if k.o.Limits.Throttle != nil {
		p.ail(why)
		k.o.Limits.Throttle(p, why)
		return
	}
	panic(fmt.Sprintf("host: %s %s; the last turns:\n%s", p.Name, why, k.Causes()))
}

// beyond ends the run because a part put more than a topic takes. A device goes on: what its
// hardware does is not the fault of the process, and a line says so once.
func (k *Kernel) beyond(s *shelf, text string) {
	if k.o.OnPanic == nil {
		panic(text + "; the last turns:\n" + k.Causes())
	}
	if !s.over {
		s.over = true
		k.say(s.Decl.Owner, s.Decl.Name, text)
	}
}

// tooMany says that a table is beyond its limit, "" if it is not.
func (b *pub) tooMany() string {
	if n := b.Head().Len(); n > b.shelf.Decl.MaxRows {
		return fmt.Sprintf("host: %s has %d rows, its limit is %d", b.shelf.Decl, n,
			b.shelf.Decl.MaxRows)
	}
	return ""
}

// ring keeps what caused the last turns.
type ring struct {
	at []cause
	n  int
}

type cause struct {
	proc  *Proc
	now   time.Duration
	turn  uint64
	topic *bus.Decl
	due   string
	op    *agent.OpDecl
	ended string
	row   *bus.Decl
	put   string
}

func (r *ring) add(p *Proc, out *Output) {
	if len(r.at) < p.k.o.Causes {
		r.at = append(r.at, cause{})
	}
	c := &r.at[r.n%len(r.at)]
	r.n++
	*c = cause{proc: p, now: p.turn.Now, turn: p.Source.Turn}
	if moved := p.k.settle; len(moved) > 0 && !p.turn.Full {
		c.topic = moved[0].shelf.Decl
	}
	if len(p.due) > 0 {
		c.due = p.due[0]
	}
	for _, t := range p.tables {
		if len(t.ended) > 0 {
			c.op, c.ended = t.op.decl, t.ended[0]
			break
		}
	}
	if len(out.Rows) > 0 {
		c.row, c.put = out.Rows[0].Topic, out.Rows[0].Key
	}
}

// Causes lists the last turns, oldest first: what moved, what was due, what was put.
func (k *Kernel) Causes() string {
	var s strings.Builder
	r := &k.ring
	for i := max(0, r.n-len(r.at)); i < r.n; i++ {
		c := &r.at[i%len(r.at)]
		fmt.Fprintf(&s, "%12v %s turn %d", c.now, c.proc.Name, c.turn)
		if c.topic != nil {
			s.WriteString(", moved " + c.topic.Name)
		}
		if c.due != "" {
			s.WriteString(", due " + c.due)
		}
		if c.op != nil {
			s.WriteString(", ended " + c.op.Name + " " + c.ended)
		}
		if c.row != nil {
			s.WriteString(", put " + c.row.Name + " " + c.put)
		}
		s.WriteByte('\n')
	}
	return s.String()
}
