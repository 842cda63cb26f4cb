package conform

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// calls are the desk's calls of one op.
type calls[Req, Res any] struct {
	b   *bench
	op  agent.Op[Req, Res]
	use *agent.Calls[Req, Res]
	// wait has, by key, who is told the outcome, in the turn that brings it.
	wait map[string]func(agent.Call[Res])
}

func newCalls[Req, Res any](op agent.Op[Req, Res]) *calls[Req, Res] {
	return &calls[Req, Res]{op: op}
}

// attach is part of the wiring of a boot.
func (c *calls[Req, Res]) attach(b *bench, p bus.Port) {
	c.b, c.use, c.wait = b, agent.Use(p, c.op), map[string]func(agent.Call[Res]){}
}

// look hands outcomes on.
func (c *calls[Req, Res]) look() {
	for _, key := range c.use.Keys() {
		x := c.use.Get(key)
		f := c.wait[key]
		if x.Over() && f != nil {
			delete(c.wait, key)
			c.use.Drop(key)
			c.b.tape.outcome(c.op.Name, key, x.Fault)
			f(x)
		}
	}
}

// outcome calls and waits for the outcome; see runs in the turn that brings it, and reads what an
// agent may have seen by then. Rows that come behind the outcome are an error.
func (c *calls[Req, Res]) outcome(t *testing.T, key string, req Req, see func()) agent.Call[Res] {
	t.Helper()
	got, with, behind := c.told(t, key, req, see)
	if with != behind {
		t.Errorf("%s %s: rows that belong before its outcome came behind it:\n%sbecame\n%s",
			c.op.Name, short(req), with, behind)
	}
	return got
}

// told calls and returns the outcome, and the rows as they were in the turn that brought it and in
// one soon after. The turn shows what the part put up to the outcome; what it put behind that comes
// in a later turn, even from the same step.
func (c *calls[Req, Res]) told(t *testing.T, key string, req Req, see func(),
) (got agent.Call[Res], with, behind string) {
	t.Helper()
	done := make(chan struct{})
	c.b.ask(func() {
		c.use.Want(key, req)
		c.wait[key] = func(x agent.Call[Res]) {
			got, with = x, c.b.state()
			if see != nil {
				see()
			}
			c.b.ask(func() { behind = c.b.state(); close(done) })
		}
	})
	await(t, "the outcome of "+c.op.Name, done)
	return got, with, behind
}

// short is the beginning of a request as text.
func short(req any) string { return fmt.Sprintf("%.300s", fmt.Sprintf("%+v", req)) }

// does calls and wants a success.
func (c *calls[Req, Res]) does(t *testing.T, req Req, see func()) Res {
	t.Helper()
	got := c.outcome(t, "x", req, see)
	if got.Phase != agent.Done {
		t.Fatalf("%s %s: fault %+v, want a success", c.op.Name, short(req), *got.Fault)
	}
	return *got.Res
}

// refuses calls and wants a fault of the part.
func (c *calls[Req, Res]) refuses(t *testing.T, req Req, code string, retry bool) {
	t.Helper()
	got := c.outcome(t, "x", req, nil)
	if got.Phase != agent.Failed {
		t.Fatalf("%s %s succeeds, want fault %s", c.op.Name, short(req), code)
	}
	if f := got.Fault; f.Code != code || f.Retry != retry || f.Text == "" {
		t.Errorf("%s %s: fault %+v, want code %s, retry %v, and a text", c.op.Name, short(req), *f,
			code, retry)
	}
}

// cancels calls, drops the call once it runs and ready holds, and calls again under the same key,
// which starts when the first has really ended: within a second. It returns the outcome of the
// second. ready and see may be nil.
func (c *calls[Req, Res]) cancels(t *testing.T, req, next Req, ready func() bool, see func(),
) agent.Call[Res] {
	t.Helper()
	c.b.turn(t, func() { c.use.Want("x", req) })
	c.b.until(t, c.op.Name+" on its way", func() bool {
		return c.use.Get("x").Phase >= agent.Running && (ready == nil || ready())
	})
	var at time.Duration
	c.b.turn(t, func() {
		c.use.Drop("x")
		at = c.b.now
	})
	got := c.outcome(t, "x", next, see)
	took := got.Began - at
	t.Logf("the key of a cancelled %s is free after %v", c.op.Name, took)
	if took > promptly {
		t.Errorf("%s: the key of a cancelled call is free after %v, want %v at most", c.op.Name, took,
			promptly)
	}
	return got
}
