package boxtest_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/tui/source"
)

// screen is a terminal without a screen: it keeps what it is told.
type screen struct {
	b *box
	c *source.Client

	mu    sync.Mutex
	state *source.State
	moved chan struct{}
}

// terminal connects one.
func (b *box) terminal() *screen {
	b.t.Helper()
	c, err := source.Dial(b.t.Context(), filepath.Join(b.run(), "tui.sock"),
		source.DialOptions{Write: true, Redial: 50 * time.Millisecond})
	if err != nil {
		b.t.Fatal(err)
	}
	s := &screen{b: b, c: c, state: source.NewState(), moved: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			batch, err := c.Next(ctx)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.state.Apply(batch)
			s.mu.Unlock()
			select {
			case s.moved <- struct{}{}:
			default:
			}
		}
	}()
	b.t.Cleanup(func() {
		stop()
		<-done
		if err := c.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return s
}

// until waits until what is told is as it should be.
func (s *screen) until(what string, good func(*source.State) bool) {
	s.b.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		s.mu.Lock()
		ok := good(s.state)
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-s.moved:
		case <-limit.C:
			s.b.t.Fatalf("the terminal never showed that %s: %+v", what, s.state.Agents)
		}
	}
}

// asks has the device do something and returns why it does not.
func (s *screen) asks(r source.Request) string {
	s.b.t.Helper()
	if err := s.c.Do(s.b.t.Context(), r); err != nil {
		return err.Error()
	}
	return ""
}

// inUse reports whether a port configuration is in use and works, and a port has an address.
func inUse(key, ifname, addr string) func(*source.State) bool {
	return func(s *source.State) bool {
		d := source.Get(s, network.DNS, entity.Global)
		return d != nil && d.DPCKey == key && d.State == network.DPCSuccess &&
			slices.ContainsFunc(d.Ports, func(p network.NetworkPortStatus) bool {
				return p.IfName == ifname && slices.ContainsFunc(p.Addrs(), func(a netip.Addr) bool {
					return addr == "" || a.String() == addr
				})
			})
	}
}

// A terminal sees all of a device in seconds, and what it asks for goes through monitor: a port is
// set by hand and stays so over a boot, until that is reverted.
func TestDEV45_PortSetAtTheTerminalOutlivesABoot(t *testing.T) {
	b := newBox(t)
	b.start("device-steps")
	b.line("device-steps", "all agents are ready")
	b.running()
	s := b.terminal()
	s.until("all agents run", func(st *source.State) bool {
		n := 0
		for _, a := range st.Agents {
			if a.Health != source.Stopped && a.Starts == 1 && a.Turns > 0 {
				n++
			}
		}
		return n == len(roster.Agents())
	})
	s.until("there are rows, lines and milestones", func(st *source.State) bool {
		running := slices.ContainsFunc(source.All(st, app.Statuses), func(a *app.AppInstanceStatus) bool {
			return a.State == entity.RUNNING
		})
		for _, part := range []string{"nic", "store", "hyper"} { // parts have tables, too
			if !slices.ContainsFunc(st.Tables, func(x *source.Table) bool {
				return strings.HasPrefix(x.Name, part+"/") && len(x.Rows) > 0
			}) {
				return false
			}
		}
		return running && len(st.Lines) > 0 && len(st.Marks) == 4 && st.Link.Write && st.Device.Boot > 0
	})
	before := time.Now()
	why := s.asks(source.Request{Verb: source.SetPort, Target: "eth1",
		Text: "static 10.80.1.300/24 gateway 10.80.1.1"})
	if !strings.Contains(why, "ip.ip: no address of IP: 10.80.1.300") {
		t.Errorf("a wrong address was answered %q", why)
	}
	if why := s.asks(source.Request{Verb: source.PullCable, Target: "eth1"}); why == "" {
		t.Error("a cable was pulled by a terminal")
	}
	why = s.asks(source.Request{Verb: source.SetPort, Target: "eth1",
		Text: "static 10.80.1.99/24 gateway 10.80.1.1 dns 10.81.0.53"})
	if why != "" {
		t.Fatalf("refused: %s", why)
	}
	manual := inUse("manual", "eth1", "10.80.1.99")
	s.until("the port is set by hand", manual)
	if took := time.Since(before); took > 15*time.Second {
		t.Errorf("that took %v", took)
	}
	b.reports("manual of", "in use")
	kill(t, b.pid("monitor"))
	b.line(`"monitor"`, "is ready")
	s.until("monitor is back", func(st *source.State) bool {
		return slices.ContainsFunc(st.Agents, func(a source.Life) bool {
			return a.Name == "monitor" && a.Starts == 2 && a.Health == source.Running
		})
	})
	if why := s.asks(source.Request{Verb: source.RestartAgent, Target: "ledmanager"}); why != "" {
		t.Errorf("refused: %s", why)
	}
	b.line(`"ledmanager"`, "is ready")
	if why := s.asks(source.Request{Verb: source.RestartAgent, Target: "nobody"}); why == "" {
		t.Error("an agent that is not there was restarted")
	}
	kill(t, b.status().Hub.PID) // the power goes with the machine of models
	s.until("the connection is lost", func(st *source.State) bool { return st.Link.Lost })
	s.until("another boot goes on with what was set", func(st *source.State) bool {
		return !st.Link.Lost && manual(st)
	})
	if why := s.asks(source.Request{Verb: source.RevertPorts}); why != "" {
		t.Errorf("refused: %s", why)
	}
	s.until("the controller's ports are back", inUse("zedagent", "eth1", ""))
	b.reports("zedagent of", "in use")
	s.until("the requests are told of", func(st *source.State) bool {
		all := source.All(st, node.OperatorRequests)
		return len(all) == 1 && all[0].State == node.RequestDone
	})
	b.stop()
	if left := b.left(); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
}

// reports waits until a line of the report of diag has all of some texts.
func (b *box) reports(texts ...string) {
	b.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		text, _ := os.ReadFile(filepath.Join(b.run(), "diag.out")) // it is replaced with each change
		for l := range strings.Lines(string(text)) {
			if hasAll(l, texts) {
				return
			}
		}
		select {
		case <-limit.C:
			b.t.Fatalf("diag never said %q: %s", texts, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// eve is EVE's terminal UI as far as its socket goes.
type eve struct {
	b *box
	c net.Conn
}

func (b *box) eve() *eve {
	b.t.Helper()
	c, err := net.Dial("unix", filepath.Join(b.run(), "monitor.sock"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return &eve{b, c}
}

// says sends a text with its length of four bytes before it, the lowest first.
func (e *eve) says(text string) {
	e.b.t.Helper()
	n := len(text)
	head := []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
	if _, err := e.c.Write(append(head, text...)); err != nil {
		e.b.t.Fatal(err)
	}
}

// hears reads frames until one begins so, and returns it.
func (e *eve) hears(prefix string) string {
	e.b.t.Helper()
	if err := e.c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		e.b.t.Fatal(err)
	}
	for {
		var head [4]byte
		if _, err := io.ReadFull(e.c, head[:]); err != nil {
			e.b.t.Fatalf("no frame %s: %v", prefix, err)
		}
		text := make([]byte, binary.LittleEndian.Uint32(head[:]))
		if _, err := io.ReadFull(e.c, text); err != nil || !json.Valid(text) {
			e.b.t.Fatalf("%q: %v", text, err)
		}
		if strings.HasPrefix(string(text), prefix) {
			return string(text)
		}
	}
}

// A device that is not onboarded takes another controller from EVE's terminal, onboards there and
// takes no further one; both copies of the name are changed.
func TestDEV46_ServerIsSetBeforeOnboardingAlone(t *testing.T) {
	b := newBox(t)
	path := filepath.Join(b.root, "config", "server")
	right, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte("nowhere.example"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.start("device-steps")
	b.line("device-steps", "all agents are ready")
	e := b.eve()
	if s := e.hears(`{"type":"DeviceStatus"`); !hasAll(s, []string{`"server":"nowhere.example"`,
		`"onboarded":false`, `"nodeUuid":"00000000-0000-0000-0000-000000000000"`}) {
		t.Errorf("the device says %s", s)
	}
	name := strings.TrimSpace(string(right))
	server, _, _ := strings.Cut(name, ":")
	e.says(`{"id":3,"RequestType":"SetServer","RequestData":"` + name + `"}`)
	if got := e.hears(`{"type":"Response"`); !strings.HasSuffix(got, `{"Ok":"ok","id":3}}`) {
		t.Fatalf("the answer is %s", got)
	}
	row(b, "zedclient", "OnboardingStatus", "it is onboarded",
		func(s *node.OnboardingStatus) bool { return s.DeviceUUID != "" })
	if now, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(now), server) {
		t.Errorf("%s has %q: %v", path, now, err)
	}
	for {
		if s := e.hears(`{"type":"DeviceStatus"`); hasAll(s, []string{`"onboarded":true`, server}) {
			break
		}
	}
	e.says(`{"id":4,"RequestType":"SetServer","RequestData":"other.example"}`)
	if got := e.hears(`{"type":"Response"`); got != `{"type":"Response","message":{"Err":`+
		`"the device is onboarded: its controller cannot be changed any more","id":4}}` {
		t.Errorf("the answer is %s", got)
	}
	b.stop()
}

// Whoever looks may go, be killed, or never read: no agent notices. Who comes back sees all, and a
// newer terminal of EVE's takes the place of the one before.
func TestDEV47_TerminalsDisturbNobody(t *testing.T) {
	b := newBox(t)
	b.start("device-steps")
	b.line("device-steps", "all agents are ready")
	b.running()
	full := func(e *eve) {
		t.Helper()
		e.hears(`{"type":"DeviceStatus","message":{"server":"`)
		e.hears(`{"type":"NetworkStatus","message":{"dpcKey":"`)
		e.hears(`{"type":"AppsList","message":{"instances":[{"uuid":"`)
		e.hears(`{"type":"TUIConfig","message":{"logLevel":"info"}}`)
	}
	first := b.eve()
	full(first)
	second := b.eve()
	full(second)
	if _, err := io.Copy(io.Discard, first.c); err != nil {
		t.Errorf("the first was not ended: %v", err)
	}
	second.says(`no JSON`) // nobody can be answered
	second.says(`{"id":8,"RequestType":"SetInterfaceConfig","RequestData":{"iface":"eth1",` +
		`"ip":{"mode":"static","config":{"ip":"10.80.1.98","subnet":"10.80.1.0/24",` +
		`"gateway":"10.80.1.1","dnsServers":["10.81.0.53"]}},"proxy":{"mode":"none"},` +
		`"ntp":["pool.ntp.org"],"domain":"sdn"}}`)
	if got := second.hears(`{"type":"Response"`); got !=
		`{"type":"Response","message":{"Ok":"ok","id":8}}` {
		t.Fatalf("the answer is %s", got)
	}
	for !strings.Contains(second.hears(`{"type":"NetworkStatus","message":{"dpcKey":"manual"`),
		`"ipv4":["10.80.1.98"]`) {
	}
	second.says(`{"id":9,"RequestType":"RevertManualConfig","RequestData":{}}`)
	row(b, "nim", "DeviceNetworkStatus", "what was set by hand is reverted",
		func(d *network.DeviceNetworkStatus) bool { return d.DPCKey == "zedagent" })
	second.c.Close() // with an answer that nobody has read
	for range 5 {    // who never reads, and who sends half a frame
		e := b.eve()
		if _, err := e.c.Write([]byte{200, 0, 0, 0, '{'}); err != nil {
			t.Fatal(err)
		}
	}
	full(b.eve())
	for range 3 {
		b.terminal()
	}
	for _, p := range b.status().Agents {
		if p.Restarts != 0 {
			t.Errorf("%+v", p)
		}
	}
	b.stop()
	if left := b.left(); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
}
