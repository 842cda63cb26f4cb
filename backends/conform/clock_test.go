package conform_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/clock"
	"github.com/evetwin/evetwin/backends/linux/clock/timeserver"
	"github.com/evetwin/evetwin/backends/sim/boot"
	"github.com/evetwin/evetwin/core/host"
)

// timeModel is a network of time servers as the suite wants it, and the machine whose clock is set.
type timeModel struct {
	host.Machine
	times    int
	by, next time.Duration
}

// TrueWall is the time of the world.
func (m *timeModel) TrueWall() time.Time { return time.Now() }

// SetClock sets the clock right, or to that of a device that wakes up.
func (m *timeModel) SetClock(skew time.Duration) {
	if skew == 0 {
		m.times, m.by = m.times+1, m.next
	}
}

// ask is how servers answer.
func (m *timeModel) ask(servers []string) (bool, time.Duration) {
	took := time.Millisecond
	for _, s := range servers {
		switch s {
		case conform.TimeServer, conform.TimeServer6, conform.TimeNamed, conform.TimeShort,
			conform.TimeForged:
			m.next = conform.TimeAhead
			return true, took
		case conform.TimeServerToo:
			m.next = 2 * conform.TimeAhead
			return true, took
		case conform.TimeSilent:
			took += 5 * time.Second
		}
	}
	return false, took
}

func TestModelClockConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	can := model
	can.Lacks = func(string) string { return "a model is not in a system" }
	conform.Clock(t, can, func(*testing.T) conform.ClockSetup {
		m := &timeModel{}
		b := &boot.Boot{NTP: m.ask}
		return conform.ClockSetup{Setup: conform.Setup{Part: boot.Timekeeper{Boot: b, Machine: m}},
			Set: func() (int, time.Duration) { return m.times, m.by },
			Own: func(has bool) { b.RTC = has }}
	})
}

func TestLinuxClockConforms(t *testing.T) {
	conform.Clock(t, realPart("linux"), func(t *testing.T) conform.ClockSetup {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		dir := t.TempDir()
		resolv, state := filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "state")
		own := filepath.Join(dir, "sys/class/rtc/rtc0/hctosys")
		must(os.MkdirAll(filepath.Dir(own), 0o700))
		must(os.WriteFile(resolv, []byte("nameserver "+nameServer+"\n"), 0o600))
		port := timeServers(t)
		nameServing(t)
		var times, by atomic.Int64
		var nailed, alone atomic.Bool
		part := clock.New(clock.Options{ResolvConf: resolv, Sys: filepath.Join(dir, "sys"), Port: port,
			State: state, OnError: must, Set: func(to time.Time) error {
				if nailed.Load() {
					return unix.EPERM
				}
				times.Add(1)
				by.Store(int64(time.Until(to)))
				return nil
			}})
		cut := func() {
			if !alone.Swap(false) { // what is below /run goes with the kernel
				must(os.RemoveAll(state))
			}
		}
		return conform.ClockSetup{Setup: conform.Setup{Part: part, Cut: cut},
			Set: func() (int, time.Duration) { return int(times.Load()), time.Duration(by.Load()) },
			Own: func(has bool) {
				text := "0\n"
				if has {
					text = "1\n"
				}
				must(os.WriteFile(own, []byte(text), 0o600))
			},
			Nail: nailed.Store, Restart: func() { alone.Store(true) }}
	})
}

// datagrams answers what comes to an address with what answer gives, until the test ends.
func datagrams(t *testing.T, at netip.AddrPort, answer func(q []byte) [][]byte) (uint16, error) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		timeserver.Serve(c, answer)
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-ended
	})
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

// timeServers serves at all addresses but TimeNobody, at one port.
func timeServers(t *testing.T) uint16 {
	t.Helper()
	right := func(ahead time.Duration) func(q []byte) [][]byte {
		return func(q []byte) [][]byte { return [][]byte{timeserver.Answer(q, time.Now().Add(ahead))} }
	}
	changed := func(with bool, f func(p []byte) []byte) func(q []byte) [][]byte {
		return func(q []byte) [][]byte {
			out := [][]byte{f(timeserver.Answer(q, time.Now().Add(30*time.Hour)))}
			if with {
				out = append(out, timeserver.Answer(q, time.Now().Add(conform.TimeAhead)))
			}
			return out
		}
	}
	answers := []struct {
		host   string
		answer func(q []byte) [][]byte
	}{
		{conform.TimeServer, right(conform.TimeAhead)},
		{conform.TimeServerToo, right(2 * conform.TimeAhead)},
		{conform.TimeServer6, right(conform.TimeAhead)},
		{conform.TimeUnset, changed(false, func(p []byte) []byte { p[0] |= 3 << 6; return p })},
		{conform.TimeRefuses, changed(false, func(p []byte) []byte {
			p[1] = 0
			copy(p[12:], "RATE")
			return p
		})},
		{conform.TimeShort, changed(true, func(p []byte) []byte { return p[:40] })},
		{conform.TimeForged, changed(true, func(p []byte) []byte { p[24] ^= 1; return p })},
		{conform.TimeSilent, func([]byte) [][]byte { return nil }},
	}
	var port uint16
	for _, a := range answers {
		at := netip.AddrPortFrom(netip.MustParseAddr(a.host), port)
		got, err := datagrams(t, at, a.answer)
		if err != nil {
			t.Fatal(err)
		}
		port = got
	}
	return port
}

// nameServer is where names are asked.
const nameServer = "127.0.9.53"

// nameServing serves one name.
func nameServing(t *testing.T) {
	t.Helper()
	at := netip.AddrPortFrom(netip.MustParseAddr(nameServer), 53)
	_, err := datagrams(t, at, func(q []byte) [][]byte {
		var m dnsmessage.Message
		if err := m.Unpack(q); err != nil || len(m.Questions) != 1 {
			t.Error(errors.Join(err, errors.New("that is no question")))
			return nil
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		asked := m.Questions[0]
		switch {
		case asked.Name.String() != conform.TimeNamed+".":
			m.RCode = dnsmessage.RCodeNameError
		case asked.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET},
				Body: &dnsmessage.AResource{
					A: netip.MustParseAddr(conform.TimeServer).As4()}}}
		}
		b, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		return [][]byte{b}
	})
	if err != nil {
		t.Fatal(err)
	}
}
