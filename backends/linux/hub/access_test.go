package hub_test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
)

// caller is a connection that is not a process of ours.
type caller struct {
	t *testing.T
	*wire.Conn
}

func dial(t *testing.T, dir string) *caller {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience)) // reads and writes say it
	t.Cleanup(func() { c.Close() })
	return &caller{t, wire.NewConn(c)}
}

// hello says hello and returns why it was refused, if it was.
func (c *caller) hello(m wire.Hello) string {
	c.t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	err = c.Write(wire.Frame(nil, wire.KindHello, b))
	if err != nil && !errors.Is(err, unix.EPIPE) { // whom it refuses by sight, the hub does not hear
		c.t.Fatal(err)
	}
	kind, b, err := c.Read()
	if err != nil || kind != wire.KindWelcome {
		c.t.Fatalf("%q, %v", kind, err)
	}
	var w wire.Welcome
	if err := json.Unmarshal(b, &w); err != nil {
		c.t.Fatal(err)
	}
	return w.Refused
}

// cutOff holds that the hub ends the connection.
func (c *caller) cutOff(why string) {
	c.t.Helper()
	for {
		if _, _, err := c.Read(); err != nil {
			if os.IsTimeout(err) {
				c.t.Errorf("%s: the connection lives", why)
			}
			return
		}
	}
}

// Only root may connect, whatever the modes of files say: the kernel tells who is there.
func TestOnlyRootMayConnect(t *testing.T) {
	dir := short(t)
	start(t, dir, "hub")
	for _, path := range []string{dir, filepath.Join(dir, "s")} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	refused := make(chan string, 1)
	go func() { // the thread ends with the goroutine: it is another user's
		defer close(refused)
		runtime.LockOSThread()
		const nobody = 65534
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); e != 0 {
			refused <- e.Error()
			return
		}
		refused <- dial(t, dir).hello(wire.Hello{Protocol: wire.Protocol})
	}()
	if why := <-refused; why != "only root may connect, not user 65534" {
		t.Error(why)
	}
	if why := dial(t, dir).hello(wire.Hello{Protocol: wire.Protocol}); why != "" {
		t.Error(why)
	}
}

// A process may be what the device has, publish what is its agents' and call what they call.
func TestWhatIsRefused(t *testing.T) {
	dir := short(t)
	start(t, dir, "hub")
	const ours = wire.Protocol
	pub := []wire.Pub{{Topic: "a/Note", MaxRows: 2}}
	for why, m := range map[string]wire.Hello{
		"protocol 9":                           {Protocol: 9},
		"agent stranger is not on this device": {Protocol: ours, Agents: []string{"stranger"}},
		"publish a/Note: the process is not a": {Protocol: ours, Agents: []string{"b"}, Pubs: pub},
		"publish box/Thing: the process is":    {Protocol: ours, Pubs: []wire.Pub{{Topic: "box/Thing"}}},
		"call box.Work: none of [b] does": {Protocol: ours, Agents: []string{"b"},
			Ops: []string{"box.Work"}},
	} {
		if got := dial(t, dir).hello(m); !strings.HasPrefix(got, why) {
			t.Errorf("%+v was answered with %q, not %q", m, got, why)
		}
	}
	row := func(topic int, keys ...string) []byte {
		m := wire.Table{Topic: topic, Rev: 1 << 40}
		for _, k := range keys {
			m.Rows = append(m.Rows, wire.Row{Key: k, Rev: 1 << 40, JSON: []byte("{}")})
		}
		return wire.AppendTurn(nil, &wire.Turn{Tables: []wire.Table{m}})
	}
	for name, frame := range map[string][]byte{
		"a topic it subscribes to":  row(1, "x"),
		"more rows than its limit":  row(0, "x", "y", "z"),
		"a turn of no agent":        wire.AppendTurn(nil, &wire.Turn{Agent: 3}),
		"half a turn":               wire.Frame(nil, wire.KindTurn, []byte{0, 1, 0, 200}),
		"a second hello":            wire.Frame(nil, wire.KindHello, []byte("{}")),
		"a frame beyond all limits": {255, 255, 255, 255, 't'},
		"a call of no op":           wire.AppendCall(nil, &wire.Call{Op: 7}),
	} {
		c := dial(t, dir)
		if why := c.hello(wire.Hello{Protocol: wire.Protocol, Agents: []string{"a"}, Pubs: pub,
			Subs: []string{"b/Ack"}}); why != "" {
			t.Fatal(why)
		}
		if err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		c.cutOff(name)
	}
	b := start(t, dir, "b")
	b.await("began () () false")
}
