package join

import (
	"sync"
	"sync/atomic"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
)

// maxPending is how many bytes wait for a hub that does not read. Beyond it they are dropped, and
// all is said anew once it reads again.
const maxPending = 4 << 20

// direct is how many bytes are written at once by whoever adds them; more are left to the writer.
const direct = 64 << 10

// outbox is what is to be said to the hub.
type outbox struct {
	bell chan struct{}
	// dropped counts how often frames were dropped.
	dropped atomic.Uint64

	mu    sync.Mutex
	buf   []byte
	spare []byte
	whole int  // bytes of buf in which all is said: they do not count
	torn  int  // bytes of buf that are the rest of a frame which is sent in part
	stale bool // nothing is said until begin
	conn  *wire.Conn
	// writing says that the writer is at it.
	writing bool
}

// add appends frames, unless all is to be said anew anyway. What the hub has room for is written at
// once.
func (o *outbox) add(f func([]byte) []byte) {
	o.mu.Lock()
	if !o.stale {
		if o.buf = f(o.buf); len(o.buf)-o.whole > maxPending {
			o.buf, o.whole, o.stale = o.buf[:o.torn], 0, true
			o.dropped.Add(1)
		}
	}
	if !o.stale && !o.writing && o.conn != nil && len(o.buf) <= direct {
		n, err := o.conn.TryWrite(o.buf)
		if err == nil && n == len(o.buf) {
			o.buf, o.whole, o.torn = o.buf[:0], 0, 0
			o.mu.Unlock()
			return
		}
		if n > 0 {
			o.buf = o.buf[:copy(o.buf, o.buf[n:])]
			o.torn = len(o.buf)
		}
	}
	o.mu.Unlock()
	o.ring()
}

// begin says all anew.
func (o *outbox) begin(f func([]byte) []byte) {
	o.mu.Lock()
	o.buf, o.stale = f(o.buf[:o.torn]), false
	o.whole = len(o.buf)
	o.mu.Unlock()
	o.ring()
}

// reset drops what waits and goes on with another connection, or with none.
func (o *outbox) reset(conn *wire.Conn) {
	o.mu.Lock()
	o.buf, o.whole, o.torn, o.stale, o.conn = nil, 0, 0, true, conn
	o.mu.Unlock()
}

// take is what the writer is to write; stale says that all is to be said anew.
func (o *outbox) take() (b []byte, stale bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, stale = o.buf, o.stale
	o.buf, o.whole, o.torn, o.spare = o.spare[:0], 0, 0, nil
	o.writing = len(b) > 0
	return b, stale
}

// giveBack ends the writing of what was taken.
func (o *outbox) giveBack(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing = false; cap(b) <= maxPending {
		o.spare = b
	}
	if len(o.buf) > 0 {
		o.ring()
	}
}

func (o *outbox) ring() {
	select {
	case o.bell <- struct{}{}:
	default:
	}
}

// write sends what is added until done closes or the connection breaks. When the hub has read all
// and frames were dropped meanwhile, again is called.
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
				_ = conn.Close()
				o.giveBack(nil)
				return
			}
		}
		o.giveBack(b)
		if stale {
			again()
		}
	}
}
