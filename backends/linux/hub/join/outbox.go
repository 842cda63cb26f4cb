package join

import (
	"sync"
	"sync/atomic"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
)

// maxPending is how many bytes wait for a hub that does not read. Beyond it they are dropped, and all
// is said anew once it reads again.
const maxPending = 4 << 20

// outbox is what is to be said to the hub.
type outbox struct {
	bell chan struct{}
	// dropped counts how often frames were dropped.
	dropped atomic.Uint64

	mu    sync.Mutex
	buf   []byte
	spare []byte
	whole int  // bytes of buf in which all is said: they do not count
	stale bool // nothing is said until begin
}

// add appends frames, unless all is to be said anew anyway.
func (o *outbox) add(f func([]byte) []byte) {
	o.mu.Lock()
	if !o.stale {
		if o.buf = f(o.buf); len(o.buf)-o.whole > maxPending {
			o.buf, o.whole, o.stale = nil, 0, true
			o.dropped.Add(1)
		}
	}
	o.mu.Unlock()
	o.ring()
}

// begin says all anew.
func (o *outbox) begin(f func([]byte) []byte) {
	o.mu.Lock()
	o.buf, o.stale = f(nil), false
	o.whole = len(o.buf)
	o.mu.Unlock()
	o.ring()
}

// reset drops what waits: nobody is there to read it.
func (o *outbox) reset() {
	o.mu.Lock()
	o.buf, o.whole, o.stale = nil, 0, true
	o.mu.Unlock()
}

// take is what is to be written; stale says that all is to be said anew.
func (o *outbox) take() (b []byte, stale bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, stale = o.buf, o.stale
	o.buf, o.whole, o.spare = o.spare[:0], 0, nil
	return b, stale
}

// giveBack returns the memory of what was written.
func (o *outbox) giveBack(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if cap(b) <= maxPending {
		o.spare = b
	}
}

func (o *outbox) ring() {
	select {
	case o.bell <- struct{}{}:
	default:
	}
}

// write sends what is added until done closes or the connection breaks. When the hub has read all and
// frames were dropped meanwhile, again is called.
func (o *outbox) write(conn *wire.Conn, done <-chan struct{}, again func()) {
	for {
		select {
		case <-o.bell:
		case <-done:
			return
		}
		b, stale := o.take()
		if len(b) > 0 {
			if err := conn.Write(b); err != nil {
				conn.Close()
				return
			}
		}
		o.giveBack(b)
		if stale {
			again()
		}
	}
}
