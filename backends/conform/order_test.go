package conform

import (
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// mark is what the clerk has noted.
type mark struct{ N int }

// Key is "mark".
func (mark) Key() string { return "mark" }

// noteReq says when the row is to be put.
type noteReq struct {
	N    int
	When string
}

type noteRes struct{}

var (
	marks = bus.NewTopic[mark](bus.Decl{Owner: "clerk", Name: "Mark"})
	note  = agent.NewOp[noteReq, noteRes](agent.OpDecl{Name: "clerk.Note"})
)

// clerk is a part that may have its row behind the outcome it belongs before.
type clerk struct{}

// Wire serves the op.
func (clerk) Wire(k *host.Kernel) {
	pt := k.Part("clerk")
	pub := bus.Publish(pt, marks)
	pub.Complete()
	host.Serve(pt, note, func(c host.Run[noteReq, noteRes]) {
		q := c.Req()
		switch q.When {
		case "before":
			pub.Put(mark{q.N})
			c.Done(noteRes{})
		case "same step":
			c.Done(noteRes{})
			pub.Put(mark{q.N})
		case "next step":
			c.Done(noteRes{})
			pt.Post(func() { pub.Put(mark{q.N}) })
		}
	})
}

// TestRowsBehindAnOutcomeAreNoticed has a part put a row in time, and too late in two ways: the
// suite tells them apart.
func TestRowsBehindAnOutcomeAreNoticed(t *testing.T) {
	var sub *bus.Sub[mark]
	calls := newCalls(note)
	b := newBench(t, Setup{Part: clerk{}}, "desk", func() string { return rows("marks", sub) },
		func(b *bench, p bus.Port) []looker {
			sub = bus.Subscribe(p, marks)
			calls.attach(b, p)
			return []looker{calls}
		})
	b.until(t, "complete tables", func() bool { return sub.Complete() })
	for n, when := range []string{"before", "same step", "next step", "before"} {
		seen := -1
		_, with, behind := calls.told(t, when, noteReq{n, when}, func() {
			if m := sub.Get("mark"); m != nil {
				seen = m.N
			}
		})
		if (seen == n) != (when == "before") || (with == behind) != (when == "before") {
			t.Errorf("row %d, put %s: %d is seen with the outcome, rows are\n%sand behind it\n%s", n,
				when, seen, with, behind)
		}
	}
}
