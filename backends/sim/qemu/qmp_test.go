package qemu_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// machine is the other side of a monitor: it greets, and answers as its test tells it.
type machine struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Scanner
}

// asked is a command as the machine receives it.
type asked struct {
	Execute   string          `json:"execute"`
	Arguments json.RawMessage `json:"arguments"`
	ID        uint64          `json:"id"`
}

const greeting = `{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": ["oob"]}}`

// connect returns a client and the machine it speaks to.
func connect(t *testing.T, onEvent func(qemu.Event)) (*qemu.Client, *machine) {
	t.Helper()
	ours, theirs := net.Pipe()
	m := &machine{t: t, conn: theirs, in: bufio.NewScanner(theirs)}
	go func() {
		m.say(greeting)
		if got := m.next(); got.Execute != "qmp_capabilities" {
			t.Errorf("first command is %q", got.Execute)
		} else {
			m.say(fmt.Sprintf(`{"return": {}, "id": %d}`, got.ID))
		}
	}()
	client, err := qemu.NewClient(t.Context(), ours, onEvent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close(); _ = client.Close() })
	return client, m
}

func (m *machine) say(line string) {
	if _, err := fmt.Fprintln(m.conn, line); err != nil {
		m.t.Error(err)
	}
}

func (m *machine) next() asked {
	var got asked
	if m.in.Scan() {
		if err := json.Unmarshal(m.in.Bytes(), &got); err != nil {
			m.t.Error(err)
		}
	}
	return got
}

func TestMonitorAnswersOutOfOrder(t *testing.T) {
	client, m := connect(t, nil)
	var all sync.WaitGroup
	for _, command := range []string{"one", "two"} {
		all.Go(func() {
			var got string
			if err := client.Execute(t.Context(), command, nil, &got); err != nil || got != command {
				t.Errorf("%s got %q, %v", command, got, err)
			}
		})
	}
	first, second := m.next(), m.next()
	m.say(fmt.Sprintf(`{"return": %q, "id": %d}`, second.Execute, second.ID))
	m.say(fmt.Sprintf(`{"return": %q, "id": %d}`, first.Execute, first.ID))
	all.Wait()
}

func TestMonitorEventsInOrder(t *testing.T) {
	got := make(chan qemu.Event, 3)
	_, m := connect(t, func(e qemu.Event) { got <- e })
	m.say(`{"event": "POWERDOWN", "timestamp": {"seconds": 7, "microseconds": 5}}`)
	m.say(`{"event": "SHUTDOWN", "data": {"guest": true}}`)
	m.say(`{"event": "STOP"}`)
	one, two, three := <-got, <-got, <-got
	if one.Name != "POWERDOWN" || two.Name != "SHUTDOWN" || three.Name != "STOP" {
		t.Errorf("events are %s %s %s", one.Name, two.Name, three.Name)
	}
	if want := time.Unix(7, 5000); !one.At.Equal(want) {
		t.Errorf("event is of %v, want %v", one.At, want)
	}
	if string(two.Data) != `{"guest": true}` {
		t.Errorf("event data are %s", two.Data)
	}
}

func TestMonitorRefusal(t *testing.T) {
	client, m := connect(t, nil)
	go func() {
		got := m.next()
		if string(got.Arguments) != `{"id":"net0"}` {
			t.Errorf("arguments are %s", got.Arguments)
		}
		m.say(fmt.Sprintf(
			`{"error": {"class": "GenericError", "desc": "no such device"}, "id": %d}`, got.ID))
	}()
	err := client.Execute(t.Context(), "netdev_del", map[string]string{"id": "net0"}, nil)
	var refused *qemu.CommandError
	if !errors.As(err, &refused) || refused.Class != "GenericError" {
		t.Fatalf("got %v", err)
	}
	if want := "monitor command netdev_del: no such device"; err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

func TestMonitorClosesUnderACommand(t *testing.T) {
	client, m := connect(t, nil)
	go func() {
		m.next()
		_ = m.conn.Close()
	}()
	if err := client.Execute(t.Context(), "quit", nil, nil); !errors.Is(err, qemu.ErrMonitorClosed) {
		t.Errorf("got %v", err)
	}
	if err := client.Execute(t.Context(), "more", nil, nil); !errors.Is(err, qemu.ErrMonitorClosed) {
		t.Errorf("after that, got %v", err)
	}
}

func TestMonitorSilence(t *testing.T) {
	client, m := connect(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		late := m.next()
		cancel()
		next := m.next() // sent when the first caller has given up
		m.say(fmt.Sprintf(`{"return": "late", "id": %d}`, late.ID))
		m.say(fmt.Sprintf(`{"return": "next", "id": %d}`, next.ID))
	}()
	if err := client.Execute(ctx, "slow", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	var got string
	if err := client.Execute(t.Context(), "other", nil, &got); err != nil || got != "next" {
		t.Errorf("the command after it got %q, %v", got, err)
	}
}

func TestMonitorSpeaksSomethingElse(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		fmt.Fprintln(theirs, "HTTP/1.1 400 Bad Request")
		_ = theirs.Close()
	}()
	_, err := qemu.NewClient(t.Context(), ours, nil)
	if err == nil || !strings.Contains(err.Error(), "greet the monitor") {
		t.Errorf("got %v", err)
	}
}
