package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/topics/node"
)

func client(step string) node.ClientStatus { return node.ClientStatus{Step: step} }

func TestReaderBeginsWithASnapshot(t *testing.T) {
	k, f := newKernel(), NewFeed(FeedOptions{})
	put(k, node.Client, client("certs"))
	put(k, node.LedShown, node.LedStatus{BlinkCounter: 2})
	f.Line("nim", time.Second, agent.Line{Text: "before anybody looked"})
	f.Mark(Mark{Name: "address", At: time.Second})
	f.Turn("zedagent", time.Second)
	f.Turn("nim", time.Second)
	f.Sync(k, []Agent{{Name: "nim", Starts: 1, Turns: 7}, {Name: "diag"}, {Name: "zedagent"}})
	r := f.Open()
	defer r.Close()
	b, err := r.Next(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	s := NewState()
	s.Apply(b)
	if !b.Reset || s.Device.Name != "edge" || len(s.Lines) != 1 || len(s.Marks) != 1 ||
		s.Agents[0].Turns != 7 || s.Agents[0].Last != time.Second || s.Agents[1].Name != "diag" {
		t.Errorf("snapshot %+v", b)
	}
	if c := Get(s, node.Client, "global"); c == nil || c.Step != "certs" {
		t.Errorf("client status %+v", c)
	}
	if row := s.Table("zedclient/ClientStatus").Row("global"); row.Rev != 1<<32+1 || !row.At.IsZero() {
		t.Errorf("a row of the snapshot is no news, and has its own revision: %+v", row)
	}
}

func TestReaderCoalescesPerRow(t *testing.T) {
	k, f := newKernel(), NewFeed(FeedOptions{})
	f.Sync(k, nil)
	r := f.Open()
	defer r.Close()
	s := NewState()
	until(t, r, s, func() bool { return s.Device.Name != "" })
	for i := range 1000 {
		put(k, node.Client, client(fmt.Sprint("step ", i)))
		put(k, node.LedShown, node.LedStatus{BlinkCounter: 1})
		without(k, node.LedShown, "global")
		f.Sync(k, nil)
	}
	b, err := r.Next(soon(t))
	if err != nil || len(b.Rows) != 1 {
		t.Fatalf("%d rows, %v: %+v", len(b.Rows), err, b.Rows)
	}
	s.Apply(b)
	if c := Get(s, node.Client, "global"); c.Step != "step 999" {
		t.Errorf("the newest value is %q", c.Step)
	}
	without(k, node.Client, "global")
	f.Sync(k, nil)
	until(t, r, s, func() bool { return Get(s, node.Client, "global") == nil })
}

func TestFeedPullsWhileSomebodyReads(t *testing.T) {
	k := newKernel()
	var f *Feed
	pulls := 0
	f = NewFeed(FeedOptions{Pull: func(context.Context) { pulls++; f.Sync(k, nil) }})
	put(k, node.Client, client("certs"))
	f.Turn("zedclient", 0)
	if pulls != 0 {
		t.Fatalf("pulled %d times with nobody there", pulls)
	}
	r := f.Open()
	defer r.Close()
	s := NewState()
	until(t, r, s, func() bool { return Get(s, node.Client, "global") != nil })
	// A part changes a row that no agent has a turn for: the beat finds it.
	put(k, node.LedShown, node.LedStatus{BlinkCounter: 4})
	until(t, r, s, func() bool { return Get(s, node.LedShown, "global") != nil })
	if pulls > 8 {
		t.Errorf("%d pulls", pulls)
	}
}

func TestAnotherBootStartsOver(t *testing.T) {
	k, f := newKernel(), NewFeed(FeedOptions{})
	put(k, node.Client, client("done"))
	put(k, node.LedShown, node.LedStatus{BlinkCounter: 4})
	f.Mark(Mark{Name: "onboarded"})
	f.Sync(k, []Agent{{Name: "nim", Turns: 40}})
	r := f.Open()
	defer r.Close()
	s := NewState()
	until(t, r, s, func() bool { return len(s.Tables) == 2 })
	k.dead = true
	f.Sync(k, nil)
	until(t, r, s, func() bool { return s.Device.Off })
	k = newKernel()
	k.boot = 2
	f.Boot("edge", 2)
	f.Mark(Mark{Name: "address"})
	put(k, node.Client, client("waiting for network"))
	f.Sync(k, []Agent{{Name: "nim", Turns: 1}})
	until(t, r, s, func() bool { return s.Device.Boot == 2 && len(s.Tables) > 0 })
	want := map[string]int{"zedclient/ClientStatus": 1}
	if got := names(s); !maps.Equal(got, want) || len(s.Marks) != 1 ||
		s.Marks[0].Name != "address" || s.Agents[0].Turns != 1 || s.Device.Off {
		t.Errorf("tables %v, marks %v, agents %+v, device %+v", got, s.Marks, s.Agents, s.Device)
	}
}

func TestLogIsBoundedAndSaysWhatItLost(t *testing.T) {
	f := NewFeed(FeedOptions{Lines: 100})
	f.Sync(newKernel(), nil)
	r := f.Open()
	defer r.Close()
	s := NewState()
	until(t, r, s, func() bool { return s.Device.Name != "" })
	for i := range 1000 {
		f.Line("nim", 0, agent.Line{Text: fmt.Sprint(i)})
	}
	until(t, r, s, func() bool { return len(s.Lines) > 0 })
	if n := len(f.lines); n > 125 {
		t.Errorf("the feed keeps %d lines", n)
	}
	if s.LostLines+len(s.Lines) != 1000 || s.Lines[len(s.Lines)-1].Text != "999" ||
		!slices.IsSortedFunc(s.Lines, func(a, b Line) int { return len(a.Text) - len(b.Text) }) {
		t.Errorf("%d lost, %d here: %v", s.LostLines, len(s.Lines), texts(s.Lines))
	}
}

func TestNobodyWaitsForAReaderThatDoesNotRead(t *testing.T) {
	k, f := newKernel(), NewFeed(FeedOptions{})
	f.Sync(k, nil)
	sleepy := f.Open()
	defer sleepy.Close()
	for i := range 5000 {
		put(k, node.Client, client(fmt.Sprint(i)))
		f.Turn("zedclient", time.Duration(i))
		f.Line("zedclient", 0, agent.Line{Text: "line"})
		f.Sync(k, nil)
	}
	b, err := sleepy.Next(soon(t))
	if err != nil || len(b.Rows) != 1 || len(b.Agents) != 1 || b.Agents[0].Turns != 5000 {
		t.Errorf("%d rows, agents %+v, %v", len(b.Rows), b.Agents, err)
	}
}

func TestReaderEndsWithItsContext(t *testing.T) {
	f := NewFeed(FeedOptions{})
	f.Sync(newKernel(), nil)
	r := f.Open()
	defer r.Close()
	ctx, cancel := context.WithCancel(soon(t))
	if _, err := r.Next(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestRequests(t *testing.T) {
	var got []Request
	f := NewFeed(FeedOptions{Act: func(_ context.Context, r Request) error {
		got = append(got, r)
		return nil
	}})
	r := f.Open()
	defer r.Close()
	ctx := soon(t)
	for _, c := range []struct {
		r  Request
		ok bool
	}{{Request{Verb: Reboot}, true}, {Request{Verb: RestartAgent, Target: "nim"}, true},
		{Request{Verb: RestartAgent}, false}, {Request{Verb: "format-disk"}, false}} {
		if err := r.Do(ctx, c.r); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.r, err)
		}
	}
	if len(got) != 2 {
		t.Errorf("carried out: %v", got)
	}
	err := NewFeed(FeedOptions{}).Open().Do(ctx, Request{Verb: Reboot})
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("without the right to act: %v", err)
	}
}

func BenchmarkTurn(b *testing.B) {
	f := NewFeed(FeedOptions{})
	f.Sync(newKernel(), nil)
	r := f.Open()
	defer r.Close()
	for i := range b.N {
		f.Turn("nim", time.Duration(i))
	}
}
