package join

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
)

// What a hub that does not read is not told is bounded: it is dropped, whole frames of it, and
// when the hub reads again all is said anew.
func TestSlowHubIsToldAllAnew(t *testing.T) {
	near, far := pair(t)
	o := &outbox{bell: make(chan struct{}, 1)}
	conn := wire.NewConn(near)
	o.reset(conn)
	o.begin(func(b []byte) []byte { return wire.Frame(b, 'f', []byte("first")) })
	again, done, ended := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		o.write(conn, done, func() { again <- struct{}{} })
	}()
	body := bytes.Repeat([]byte("x"), 10_000)
	added := 0
	for o.dropped.Load() == 0 {
		if added++; added*len(body) > 4*maxPending {
			t.Fatal("nothing was dropped")
		}
		o.add(func(b []byte) []byte { return wire.Frame(b, 'm', body) })
	}
	o.add(func(b []byte) []byte { return wire.Frame(b, 'm', []byte("not said: all is said anew")) })
	reader, got := wire.NewConn(far), 0
	frames := make(chan wire.Kind)
	go func() {
		defer close(frames)
		for {
			k, b, err := reader.Read()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Errorf("after %d frames: %v", got, err)
				}
				return
			}
			if k == 'm' && len(b) != len(body) {
				t.Errorf("a frame of %d bytes", len(b))
			}
			frames <- k
		}
	}()
	for said := false; !said; {
		select {
		case k := <-frames:
			if k == 'm' {
				got++
			}
		case <-again:
			said = true
		}
	}
	o.begin(func(b []byte) []byte { return wire.Frame(b, 'a', []byte("anew")) })
	for k := range frames {
		if k == 'a' {
			break
		}
		got++
	}
	if got >= added {
		t.Errorf("%d of %d frames arrived, some were dropped", got, added)
	}
	close(done)
	conn.Close()
	<-ended
	for range frames {
	}
}

func pair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	at := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"}
	l, err := net.ListenUnix("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.DialUnix("unix", nil, at); err != nil {
		t.Fatal(err)
	}
	if b, err = l.AcceptUnix(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}
