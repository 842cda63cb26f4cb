package face_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/face"
	"github.com/evetwin/evetwin/backends/linux/hub/join"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lamp is a row of the tests.
type lamp struct {
	Name string
	On   uint64
	Text string
}

// Key is the name.
func (l lamp) Key() string { return l.Name }

var (
	lamps = bus.NewTopic[lamp](bus.Decl{Owner: "panel", Name: "Lamp"})
	keeps = bus.NewTopic[lamp](bus.Decl{Owner: "panel", Name: "Kept", Life: bus.Persistent})
)

// panel is hardware with one part, which does what the test has it do.
type panel struct {
	pt    *host.Part
	lamps *bus.Pub[lamp]
	keeps *bus.Pub[lamp]
	wired chan struct{}
}

// Wire declares the part.
func (p *panel) Wire(k *host.Kernel, _ host.Machine) {
	p.pt = k.Part("panel")
	p.lamps, p.keeps = bus.Publish(p.pt, lamps), bus.Publish(p.pt, keeps)
	close(p.wired)
}

// Cut loses nothing.
func (*panel) Cut(func(string) uint64) {}

// rig is a hub with a panel and its face.
type rig struct {
	t     *testing.T
	dir   string
	panel *panel
	lines chan string
	shown chan struct{}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "face")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: dir, panel: &panel{wired: make(chan struct{})}, lines: make(chan string, 100),
		shown: make(chan struct{}, 1)}
	left := filepath.Join(dir, "run/panel/Lamp")
	if err := errors.Join(os.MkdirAll(left, 0o700), os.WriteFile(left+".sock", nil, 0o600),
		os.WriteFile(left+"/left.json", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(hub.Options{Name: "edge", Socket: filepath.Join(dir, "s"), Hardware: r.panel,
		Agents: pair()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- h.Run(ctx) }()
	<-r.panel.wired
	go func() {
		ended <- face.Serve(ctx, h, face.Options{Run: filepath.Join(dir, "run"),
			Persist: filepath.Join(dir, "status"), OnLine: func(s string) { r.lines <- s },
			OnShown: func() {
				select {
				case r.shown <- struct{}{}:
				default:
				}
			}})
	}()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	return r
}

// do has the panel do something, and waits until the hub shows it: what is posted then runs behind
// the turns that the first step caused.
func (r *rig) do(f func(p *panel)) {
	for _, step := range []func(*panel){f, func(*panel) {}} {
		done := make(chan struct{})
		r.panel.pt.Post(func() { step(r.panel); close(done) })
		<-done
	}
}

// dial connects to a socket of the face, once it is there.
func (r *rig) dial(path string) *net.UnixConn {
	r.t.Helper()
	a := &net.UnixAddr{Name: filepath.Join(r.dir, "run", path), Net: "unixpacket"}
	for {
		c, err := net.DialUnix("unixpacket", nil, a)
		if err == nil {
			r.t.Cleanup(func() { c.Close() })
			return c
		}
		r.await(err.Error())
	}
}

func (r *rig) request(c *net.UnixConn, text string) {
	r.t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		r.t.Fatal(err)
	}
}

// read is the next message, its base64 decoded.
func (r *rig) read(c *net.UnixConn) string {
	r.t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second)) // the Read says it
	b := make([]byte, 70_000)
	n, err := c.Read(b)
	if err != nil {
		return err.Error()
	}
	f := strings.Split(string(b[:n]), " ")
	for i := 2; i < len(f) && (f[0] == "update" || f[0] == "delete"); i++ {
		x, err := base64.StdEncoding.DecodeString(f[i])
		if err != nil {
			r.t.Fatal(err)
		}
		f[i] = string(x)
	}
	return strings.Join(f, " ")
}

func (r *rig) expect(c *net.UnixConn, want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := r.read(c); got != w {
			r.t.Fatalf("got %q, want %q", got, w)
		}
	}
}

// One who subscribes late gets hello, every key once, complete, then the restart counter; then what
// moves, the newest alone, and the counter never before rows that were there earlier.
func TestDEV9_DEV10_DEV11_LateSubscriber(t *testing.T) {
	r := newRig(t)
	r.do(func(p *panel) {
		p.lamps.Put(lamp{"b", 1<<63 + 12345, ""})
		p.lamps.Put(lamp{"a", 1, ""})
		p.keeps.Put(lamp{Name: "k"})
		p.lamps.Complete()
	})
	for _, path := range []string{"panel.sock", "panel/Lamp.sock"} {
		c := r.dial(path)
		r.request(c, "request Lamp")
		r.expect(c, "hello Lamp false", `update Lamp a {"Name":"a","On":1,"Text":""}`,
			`update Lamp b {"Name":"b","On":9223372036854788153,"Text":""}`, "complete Lamp",
			"restarted Lamp 1")
		c.Close()
	}
	c := r.dial("panel/Kept.sock")
	r.request(c, "request Kept")
	r.expect(c, "hello Kept true", `update Kept k {"Name":"k","On":0,"Text":""}`, "complete Kept")
	r.do(func(p *panel) { // in one step: the last value alone is seen, deletions come first
		p.keeps.Put(lamp{Name: "k", On: 1})
		p.keeps.Put(lamp{Name: "k", On: 2})
		p.keeps.Put(lamp{Name: "z"})
	})
	r.expect(c, `update Kept k {"Name":"k","On":2,"Text":""}`,
		`update Kept z {"Name":"z","On":0,"Text":""}`)
	r.do(func(p *panel) { p.keeps.Put(lamp{Name: "k", On: 2}) }) // an equal one: nothing
	r.do(func(p *panel) {
		p.keeps.Put(lamp{Name: "c"})
		p.keeps.Delete("z")
		p.keeps.Complete()
	})
	r.expect(c, "delete Kept z", `update Kept c {"Name":"c","On":0,"Text":""}`, "restarted Kept 1")
}

// A row beyond the limit of a datagram is named and left out, and all goes on.
func TestDEV14_TooLargeForADatagram(t *testing.T) {
	r := newRig(t)
	r.do(func(p *panel) {
		p.lamps.Put(lamp{Name: "a", Text: strings.Repeat("x", 60_000)})
		p.lamps.Put(lamp{Name: "b"})
	})
	c := r.dial("panel/Lamp.sock")
	r.request(c, "request Lamp")
	r.expect(c, "hello Lamp false", `update Lamp b {"Name":"b","On":0,"Text":""}`, "complete Lamp")
	if l := <-r.lines; l != "panel/Lamp/a is too large for a datagram and not sent" {
		t.Error(l)
	}
}

// Whoever says anything but a request for the socket's topic is cut off, at once or later: there
// is no way to publish.
func TestSubscribersCannotPublish(t *testing.T) {
	r := newRig(t)
	r.do(func(p *panel) { p.lamps.Put(lamp{Name: "a"}) })
	for _, text := range []string{"update Lamp YQ== e30=", "request Kept", "request",
		"request Lamp x"} {
		c := r.dial("panel/Lamp.sock")
		r.request(c, text)
		if got := r.read(c); got != io.EOF.Error() {
			t.Errorf("%q was answered with %q", text, got)
		}
	}
	c := r.dial("panel.sock")
	r.request(c, "request Lamp")
	r.expect(c, "hello Lamp false", `update Lamp a {"Name":"a","On":0,"Text":""}`, "complete Lamp")
	r.request(c, "update Lamp YQ== e30=")
	if got := r.read(c); got != io.EOF.Error() {
		t.Errorf("an update was answered with %q", got)
	}
	c = r.dial("panel.sock")
	r.request(c, "request Nothing")
	if got := r.read(c); got != io.EOF.Error() {
		t.Errorf("a topic that is not there: %q", got)
	}
}

// The files are the rows, where EVE has them; what an earlier hub left is removed.
func TestFiles(t *testing.T) {
	r := newRig(t)
	r.do(func(p *panel) {
		p.lamps.Put(lamp{Name: "a", On: 1})
		p.lamps.Put(lamp{Name: "b", On: 2})
		p.lamps.Put(lamp{Name: "c/d", On: 5})
		p.keeps.Put(lamp{Name: "k", On: 3})
		p.lamps.Complete()
	})
	c := r.dial("panel/Lamp.sock")
	r.request(c, "request Lamp")
	r.file("run/panel/Lamp/a.json", `{"Name":"a","On":1,"Text":""}`)
	r.file("run/panel/Lamp/b.json", `{"Name":"b","On":2,"Text":""}`)
	r.file("run/panel/Lamp/c!d.json", `{"Name":"c/d","On":5,"Text":""}`)
	r.file("status/panel/Kept/k.json", `{"Name":"k","On":3,"Text":""}`)
	r.file("run/panel/Lamp/restarted", "1")
	r.do(func(p *panel) { p.lamps.Delete("a"); p.lamps.Put(lamp{Name: "b", On: 4}) })
	r.file("run/panel/Lamp/b.json", `{"Name":"b","On":4,"Text":""}`)
	r.file("run/panel/Lamp/a.json", "")
	r.file("run/panel/Lamp/left.json", "")
	info, err := os.Stat(filepath.Join(r.dir, "run/panel/Lamp"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// diary is a persistent topic of an agent.
var diary = bus.NewTopic[lamp](bus.Decl{Owner: "writer", Name: "Diary", Life: bus.Persistent})

// quiet is an agent that has done all it does.
type quiet struct{}

// Step does nothing.
func (quiet) Step(*agent.Turn) {}

// pair is a reader of the diary, and its writer.
func pair() []agent.Entry {
	return []agent.Entry{
		{Name: "reader", New: func(p bus.Port) agent.Agent {
			bus.Subscribe(p, diary, bus.Optional)
			return quiet{}
		}},
		{Name: "writer", New: func(p bus.Port) agent.Agent {
			d := bus.Publish(p, diary)
			return writer{d}
		}}}
}

// writer writes one page.
type writer struct{ d *bus.Pub[lamp] }

// Step writes it.
func (w writer) Step(*agent.Turn) { w.d.Put(lamp{Name: "page", On: 1}) }

// Whoever reads a persistent topic before its publisher comes: its rows lie where persistent rows
// do.
func TestFilesOfATopicThatWasReadFirst(t *testing.T) {
	r := newRig(t)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for _, e := range pair() {
		joined := make(chan struct{})
		running.Go(func() {
			_ = join.Run(ctx, join.Options{Socket: filepath.Join(r.dir, "s"), Agents: []agent.Entry{e},
				OnJoin: func(func(func())) { close(joined) }}) // it ends with the test
		})
		<-joined
		r.do(func(p *panel) { p.lamps.Put(lamp{Name: e.Name}) })
		r.file("run/panel/Lamp/"+e.Name+".json", `{"Name":"`+e.Name+`","On":0,"Text":""}`)
	}
	r.file("status/writer/Diary/page.json", `{"Name":"page","On":1,"Text":""}`)
	r.file("run/writer/Diary/page.json", "")
}

// file waits until a file has a text; empty: until it is not there.
func (r *rig) file(path, want string) {
	r.t.Helper()
	for {
		b, err := os.ReadFile(filepath.Join(r.dir, path))
		if string(b) == want && (err == nil) == (want != "") {
			return
		}
		r.await(fmt.Sprintf("%s is %q, not %q", path, b, want))
	}
}

// await waits until the face was brought up to date once more.
func (r *rig) await(why string) {
	r.t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	select {
	case <-r.shown:
	case <-limit.C:
		r.t.Fatal(why)
	}
}
