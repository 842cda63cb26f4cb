package clock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/clock/timeserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// near is how exact a time is that comes over loopback, on a machine that has much to do.
const near = 50 * time.Millisecond

// asked is a clock that asks servers at a port of loopback, and how far it was set.
type asked struct {
	*Clock
	set  int
	diff time.Duration
}

func asking(o Options) *asked {
	a := &asked{}
	o.Set = func(to time.Time) error {
		a.set++
		a.diff = time.Until(to)
		return nil
	}
	a.Clock = New(o)
	return a
}

// is checks that the clock was set once, by so much.
func (a *asked) is(t *testing.T, err error, by time.Duration) {
	t.Helper()
	if d := a.diff - by; err != nil || a.set != 1 || d < -near || d > near {
		t.Errorf("set %d times, by %v instead of %v: %v", a.set, a.diff, by, err)
	}
}

func TestTheTimeOfAServer(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour, 50 * 365 * 24 * time.Hour,
		-20 * 365 * 24 * time.Hour} {
		a := asking(Options{Port: datagrams(t, "127.0.0.1", 0, right(ahead))})
		a.is(t, a.sync(t.Context(), []string{"127.0.0.1"}), ahead)
	}
}

// What the way to the server takes counts half, wherever it is lost.
func TestTheWayIsTakenForEqual(t *testing.T) {
	const held = 200 * time.Millisecond // between what the server says of its two times
	a := asking(Options{Port: datagrams(t, "127.0.0.1", 0, func(q []byte) [][]byte {
		now := time.Now()
		p := timeserver.Answer(q, now)
		timeserver.Put(p[atReceive:], now.Add(-held))
		return [][]byte{p}
	})})
	a.is(t, a.sync(t.Context(), []string{"127.0.0.1"}), -held/2)
}

// bad are answers of servers that do not know the time, and what is said about them.
var bad = []struct {
	name, text string
	spoil      func(p []byte)
}{
	{"kiss of death", `the server refuses: "RATE"`, func(p []byte) { p[1] = 0; copy(p[12:], "RATE") }},
	{"alarm", errUnset.Error(), func(p []byte) { p[0] |= leapAlarm << 6 }},
	{"stratum 16", errUnset.Error(), func(p []byte) { p[1] = 16 }},
	{"no time", errUnset.Error(), func(p []byte) { clear(p[atTransmit:]) }},
	{"broadcast", "mode 5", func(p []byte) { p[0] = 4<<3 | 5 }},
}

// A server that does not know the time is passed over; where there is no other, it is said.
func TestServersThatDoNotKnow(t *testing.T) {
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			port := datagrams(t, "127.0.0.1", 0, func(q []byte) [][]byte {
				p := timeserver.Answer(q, time.Now())
				c.spoil(p)
				return [][]byte{p}
			})
			a := asking(Options{Port: port})
			err := a.sync(t.Context(), []string{"127.0.0.1"})
			if err == nil || !strings.Contains(err.Error(), c.text) || a.set != 0 {
				t.Errorf("set %d times: %v", a.set, err)
			}
			datagrams(t, "127.0.0.2", port, right(time.Hour))
			a.is(t, a.sync(t.Context(), []string{"127.0.0.1", "127.0.0.2"}), time.Hour)
		})
	}
}

// What is no answer to the question does not count: what is too short, and what repeats another
// question, be it that of somebody who guesses.
func TestForeignAnswers(t *testing.T) {
	a := asking(Options{Port: datagrams(t, "127.0.0.1", 0, func(q []byte) [][]byte {
		foreign := timeserver.Answer(q, time.Now().Add(-time.Hour))
		foreign[atOriginate]++
		dead := timeserver.Answer(q, time.Now())
		dead[1], dead[atOriginate+7] = 0, dead[atOriginate+7]+1
		return [][]byte{timeserver.Answer(q, time.Now())[:packetSize-1], {}, foreign, dead,
			timeserver.Answer(q, time.Now().Add(time.Hour))}
	})})
	a.is(t, a.sync(t.Context(), []string{"127.0.0.1"}), time.Hour)
}

// Two questions are not alike, so that an answer cannot be prepared.
func TestQuestionsDiffer(t *testing.T) {
	questions := make(chan string, 3)
	a := asking(Options{Port: datagrams(t, "127.0.0.1", 0, func(q []byte) [][]byte {
		questions <- string(q[atTransmit:])
		return right(0)(q)
	})})
	seen := map[string]bool{}
	for range 3 {
		if err := a.sync(t.Context(), []string{"127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
		seen[<-questions] = true
	}
	if len(seen) != 3 {
		t.Errorf("of 3 questions %d differ", len(seen))
	}
}

// Seconds begin anew in 2036, and every 136 years.
func TestEras(t *testing.T) {
	day := func(year int) time.Time { return time.Date(year, 3, 4, 5, 6, 7, 0, time.UTC) }
	for _, c := range []struct{ now, server time.Time }{
		{day(2026), day(2026)}, {day(1970), day(2026)}, {day(1970), day(2037)}, {day(2026), day(2037)},
		{day(2035), day(2036)}, {day(2037), day(2035)}, {day(2040), day(2041)}, {day(2170), day(2171)},
		{day(2173), day(2171)},
	} {
		var b [8]byte
		timeserver.Put(b[:], c.server)
		if got := stamp(b[:], c.now); !got.Equal(c.server) {
			t.Errorf("in %d, %v is taken for %v", c.now.Year(), c.server, got)
		}
	}
}

func TestAName(t *testing.T) {
	port := datagrams(t, "127.0.0.2", 0, right(time.Hour))
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	write(t, conf, "search example\nnameserver 127.0.0.1\n")
	a := asking(Options{Port: port, ResolvConf: conf,
		dns: names(t, "time.evetwin.example", "127.0.0.2")})
	a.is(t, a.sync(t.Context(), []string{"time.evetwin.example."}), time.Hour)
	err := a.sync(t.Context(), []string{"other.evetwin.example."})
	if err == nil || !strings.Contains(err.Error(), "find other.evetwin.example") {
		t.Errorf("a name that is not there: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

// A port has an address before its name servers are written down.
func TestNameServersThatComeLater(t *testing.T) {
	port := datagrams(t, "127.0.0.2", 0, right(0))
	for name, before := range map[string]string{"no file": "", "no servers": "search example\n"} {
		t.Run(name, func(t *testing.T) {
			conf := filepath.Join(t.TempDir(), "resolv.conf")
			if before != "" {
				write(t, conf, before)
			}
			a := asking(Options{Port: port, ResolvConf: conf,
				dns: names(t, "time.evetwin.example", "127.0.0.2")})
			const late = 300 * time.Millisecond
			began := time.Now()
			written := make(chan struct{})
			time.AfterFunc(late, func() {
				write(t, conf+".new", "nameserver 127.0.0.1\n")
				if err := os.Rename(conf+".new", conf); err != nil {
					t.Error(err)
				}
				close(written)
			})
			a.is(t, a.sync(t.Context(), []string{"time.evetwin.example."}), 0)
			if took := time.Since(began); took < late {
				t.Errorf("it knew the servers after %v", took)
			}
			<-written
		})
	}
}

// A question that is not answered ends when it is cancelled, and so does the wait for name servers.
func TestCancelled(t *testing.T) {
	began := make(chan struct{}, 1)
	silent := datagrams(t, "127.0.0.1", 0, func([]byte) [][]byte {
		began <- struct{}{}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-began
		cancel()
	}()
	cancelled := func(what string, a *asked, server string) {
		t.Helper()
		from := time.Now()
		err := a.sync(ctx, []string{server})
		if !errors.Is(err, context.Canceled) || a.set != 0 || time.Since(from) > time.Second {
			t.Errorf("%s: set %d times, %v after %v", what, a.set, err, time.Since(from))
		}
	}
	cancelled("a silent server", asking(Options{Port: silent}), "127.0.0.1")
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	cancelled("no name servers", asking(Options{ResolvConf: filepath.Join(t.TempDir(), "none")}),
		"time.evetwin.example")
}
