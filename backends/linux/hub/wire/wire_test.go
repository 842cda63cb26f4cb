package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
)

func tables() []wire.Table {
	return []wire.Table{
		{Topic: 3, Rev: math.MaxUint64, Complete: true, Full: true, Aside: []string{"odd"},
			Rows: []wire.Row{{Key: "a", Rev: 1 << 63, Version: 2,
				JSON: []byte(`{"N":18446744073709551615}`)}, {Key: "gone", Rev: 9}}},
		{Topic: 0, Open: true, Rows: []wire.Row{}},
	}
}

// body takes the frame apart that an Append function made.
func body(t *testing.T, frame []byte, want wire.Kind) []byte {
	t.Helper()
	if n := binary.LittleEndian.Uint32(frame); int(n) != len(frame)-5 || wire.Kind(frame[4]) != want {
		t.Fatalf("frame of %d bytes says %d, kind %q", len(frame), n, frame[4])
	}
	return frame[5:]
}

func same(t *testing.T, got, want any, err error) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}

// What is said is what is heard, to the last bit.
func TestMessages(t *testing.T) {
	turn := wire.Turn{Agent: 2, Number: 7, Durable: true, Tables: tables()}
	got, err := wire.ReadTurn(body(t, wire.AppendTurn(nil, &turn), wire.KindTurn))
	same(t, got, turn, err)

	all := wire.Tables{Tables: tables(), Stored: []wire.Stored{{Agent: 1, Number: 9}},
		Calls: []uint64{1, math.MaxUint64}, Turns: []uint64{7, 0}}
	gotAll, err := wire.ReadTables(body(t, wire.AppendTables(nil, &all), wire.KindTables))
	same(t, gotAll, all, err)

	call := wire.Call{ID: 5, Agent: 1, Op: 2, Key: "key", Req: []byte(`{"A":1}`)}
	gotCall, err := wire.ReadCall(body(t, wire.AppendCall(nil, &call), wire.KindCall))
	same(t, gotCall, call, err)

	line := wire.Line{From: "nim", At: 5, Line: agent.Line{Level: agent.Warn, About: "eth0",
		Text: "a text\nof two lines"}}
	gotLine, err := wire.ReadLine(body(t, wire.AppendLine(nil, &line), wire.KindLine))
	same(t, gotLine, line, err)

	health := wire.Health{Agent: 3, Condition: wire.Slow, Why: "a turn took 1s"}
	gotHealth, err := wire.ReadHealth(body(t, wire.AppendHealth(nil, &health), wire.KindHealth))
	same(t, gotHealth, health, err)

	id, err := wire.ReadCancel(body(t, wire.AppendCancel(nil, 1<<40), wire.KindCancel))
	same(t, id, uint64(1<<40), err)

	st := wire.State{Skew: -5, Stored: []wire.Stored{{Agent: 0, Number: 1}}, Tables: tables(),
		Ends: []wire.Outcome{{ID: 1, Res: []byte(`{"B":2}`)},
			{ID: 2, Fault: &agent.Fault{Code: "x", Text: "y", Retry: true}}}}
	b, at, err := wire.AppendState([]byte("before"), &st, len(st.Tables))
	for i := range st.Tables {
		b = wire.AppendWhole(b, &st.Tables[i])
	}
	same(t, string(b[:at]), "before", err)
	gotState, err := wire.ReadState(body(t, wire.End(b, at)[at:], wire.KindState))
	same(t, gotState, st, err)
}

// Bodies that are cut off anywhere, or damaged, are errors, never more.
func FuzzBodies(f *testing.F) {
	turn := wire.AppendTurn(nil, &wire.Turn{Agent: 2, Number: 7, Tables: tables()})[5:]
	for n := range turn {
		f.Add(turn[:n])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := wire.ReadTurn(b); err == nil {
			again, err := wire.ReadTurn(wire.AppendTurn(nil, &x)[5:])
			same(t, again, x, err)
		}
		for _, read := range []func([]byte) error{
			func(b []byte) error { _, err := wire.ReadTables(b); return err },
			func(b []byte) error { _, err := wire.ReadState(b); return err },
			func(b []byte) error { _, err := wire.ReadCall(b); return err },
			func(b []byte) error { _, err := wire.ReadCancel(b); return err },
		} {
			if err := read(b); err == nil && len(b) == 0 {
				t.Error("nothing was read as something")
			}
		}
	})
}

// Frames arrive whole and in order however large they are; a frame that is cut off is an error; a
// peer is known by its user and process.
func TestConn(t *testing.T) {
	a, b := pair(t)
	peer, err := wire.PeerOf(a)
	same(t, peer, wire.Peer{PID: os.Getpid(), UID: os.Getuid()}, err)
	from, to := wire.NewConn(a), wire.NewConn(b)
	big := bytes.Repeat([]byte("x"), 3<<20)
	go func() {
		defer from.Close()
		if from.Write(wire.Frame(wire.Frame(nil, 'a', []byte("one")), 'b', big)) == nil {
			from.Write([]byte{9, 0, 0, 0, 'c', 1}) // the Read would say it
		}
	}()
	for _, want := range []struct {
		kind wire.Kind
		body []byte
	}{{'a', []byte("one")}, {'b', big}} {
		kind, got, err := to.Read()
		if kind != want.kind || !bytes.Equal(got, want.body) || err != nil {
			t.Fatalf("%q, %d bytes, %v", kind, len(got), err)
		}
	}
	if _, _, err := to.Read(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a frame cut off: %v", err)
	}
}

// TryWrite sends what there is room for, and never waits.
func TestTryWrite(t *testing.T) {
	a, b := pair(t)
	from := wire.NewConn(a)
	sent := 0
	for {
		n, err := from.TryWrite(make([]byte, 100_000))
		if err != nil {
			t.Fatal(err)
		}
		if sent += n; n < 100_000 {
			break
		}
	}
	from.Close()
	if n, err := io.Copy(io.Discard, b); int(n) != sent || err != nil {
		t.Errorf("%d of %d, %v", n, sent, err)
	}
	if _, err := from.TryWrite([]byte("x")); err == nil {
		t.Error("wrote to what is closed")
	}
}

func pair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	b, err = l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}
