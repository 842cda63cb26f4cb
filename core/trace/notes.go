package trace

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// maxNotes is how many turns, starts and steps of parts are noted before they are handed over.
const maxNotes = 256

// Notes is what a Recorder has taken down of some turns: copies of what is valid during a turn
// only, and pointers to rows, tables, requests and outcomes, which nobody changes. So whoever has
// the notes may write them while the device goes on.
type Notes struct {
	list []note
	// Memory of what notes list.
	moves  []host.Move
	due    []string
	starts []host.Start
	ends   []host.End
	rows   []host.Change
	whole  []*bus.Decl
	calls  []host.Order
	wakes  []host.Wake
}

// note is a boot, a start, a step of a part or a turn.
type note struct {
	kind byte
	page *page
	line *line // of starts and turns
	draw uint64
	// in and out are a turn's. A start has the agent, the start and the time of in; a step has its
	// part as the agent, the time and rows.
	in    host.Input
	out   host.Output
	begun *begun
}

// begun is what a boot has when its recording begins.
type begun struct {
	boot   uint64
	now    time.Duration
	wall   time.Time
	tables []begunTable
	agents []begunAgent
}

type begunTable struct {
	topic *bus.Decl
	head  bus.Head
	bare  bool // its publisher is a part whose steps are not recorded
}

type begunAgent struct {
	name        string
	start, draw uint64
	line        *line
	life        *host.Life // nil if it has had no turn
}

// add is an empty note behind the others.
func (n *Notes) add(kind byte, p *page) *note {
	if n.list == nil {
		n.list = make([]note, 0, maxNotes)
	}
	n.list = append(n.list, note{kind: kind, page: p})
	return &n.list[len(n.list)-1]
}

// turn copies what a turn was told and did. Lines are not recorded.
func (n *Notes) turn(x *note, in *host.Input, out *host.Output) {
	x.in = *in
	x.in.Moves = keep(&n.moves, in.Moves)
	x.in.Due = keep(&n.due, in.Due)
	x.in.Starts = keep(&n.starts, in.Starts)
	x.in.Ends = keep(&n.ends, in.Ends)
	x.out.Rows = keep(&n.rows, out.Rows)
	x.out.Whole = keep(&n.whole, out.Whole)
	x.out.Calls = keep(&n.calls, out.Calls)
	x.out.Wakes = keep(&n.wakes, out.Wakes)
}

// keep copies a list behind others. Where their memory has to grow, copies made before stay in the
// memory that was.
func keep[T any](mem *[]T, list []T) []T {
	if len(list) == 0 {
		return nil
	}
	from := len(*mem)
	*mem = append(*mem, list...)
	return (*mem)[from:len(*mem):len(*mem)]
}

// empty forgets all notes and keeps their memory.
func (n *Notes) empty() {
	wipe(&n.list)
	wipe(&n.moves)
	wipe(&n.due)
	wipe(&n.starts)
	wipe(&n.ends)
	wipe(&n.rows)
	wipe(&n.whole)
	wipe(&n.calls)
	wipe(&n.wakes)
}

func wipe[T any](mem *[]T) {
	clear(*mem)
	*mem = (*mem)[:0]
}
