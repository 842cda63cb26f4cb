// Package ipc reads the tables of a running device from outside, by the sockets that EVE's tools
// know: one of type SOCK_SEQPACKET per topic, /run/<agent>/<Topic>.sock.
package ipc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Op is what an event says.
type Op string

// Ops of events.
const (
	Update    Op = "update"
	Delete    Op = "delete"
	Complete  Op = "complete"  // all keys that there were have been told
	Restarted Op = "restarted" // the publisher has declared its table whole
)

// Event is something that happens to a topic.
type Event struct {
	Agent, Topic string
	Op           Op
	Key          string // of Update and Delete
	Row          []byte // of Update: JSON
}

// Topic names a table.
type Topic struct{ Agent, Name string }

// ErrAway says that nobody serves a topic: not yet, or no longer.
var ErrAway = errors.New("nobody serves it")

// maxMessage is EVE's limit of a datagram.
const maxMessage = 65535

// Topics are those that are served below a folder, which is /run on a device, in order.
func Topics(run string) ([]Topic, error) {
	found, err := filepath.Glob(filepath.Join(run, "*", "*.sock"))
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var out []Topic
	for _, path := range found {
		agent := filepath.Base(filepath.Dir(path))
		// Other sockets may stand in folders there; an agent has one of its own beside its folder.
		if _, err := os.Stat(filepath.Join(run, agent+".sock")); err == nil {
			out = append(out, Topic{agent, strings.TrimSuffix(filepath.Base(path), ".sock")})
		}
	}
	slices.SortFunc(out, func(a, b Topic) int {
		return strings.Compare(a.Agent+"/"+a.Name, b.Agent+"/"+b.Name)
	})
	return out, nil
}

// Follow tells of a topic: each key that is there, then what moves. It returns nil when ctx has
// ended, an error that tell returned, io.EOF when the device has gone, and ErrAway where there is
// none that serves the topic.
func Follow(ctx context.Context, run string, t Topic, tell func(Event) error) error {
	path := filepath.Join(run, t.Agent, t.Name+".sock")
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("follow %s/%s: %w: %w", t.Agent, t.Name, ErrAway, err)
	}
	if err != nil {
		return fmt.Errorf("follow %s/%s: %w", t.Agent, t.Name, err)
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if _, err := c.Write([]byte("request " + t.Name)); err != nil {
		return fmt.Errorf("follow %s/%s: %w", t.Agent, t.Name, err)
	}
	b := make([]byte, maxMessage)
	for {
		n, err := c.Read(b)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil && n == 0 {
			err = io.EOF
		}
		var e Event
		var known bool
		if err == nil {
			e, known, err = parse(t, string(b[:n]))
		}
		if err != nil {
			return fmt.Errorf("follow %s/%s: %w", t.Agent, t.Name, err)
		}
		if known {
			if err := tell(e); err != nil {
				return err
			}
		}
	}
}

// parse reads a message; those of the protocol alone are no events.
func parse(t Topic, m string) (e Event, known bool, err error) {
	f := strings.Fields(m)
	if len(f) < 2 || f[1] != t.Name {
		return e, false, fmt.Errorf("a message is %q", m[:min(len(m), 80)])
	}
	e = Event{Agent: t.Agent, Topic: t.Name, Op: Op(f[0])}
	want := 2
	switch e.Op {
	case Update:
		want = 4
	case Delete, Restarted:
		want = 3
	case Complete:
	default:
		return e, false, nil
	}
	if len(f) != want {
		return e, false, fmt.Errorf("a message is %q", m[:min(len(m), 80)])
	}
	var keyErr, rowErr error
	if e.Op == Update || e.Op == Delete {
		var key []byte
		key, keyErr = base64.StdEncoding.DecodeString(f[2])
		e.Key = string(key)
	}
	if e.Op == Update {
		e.Row, rowErr = base64.StdEncoding.DecodeString(f[3])
	}
	return e, true, errors.Join(keyErr, rowErr)
}
