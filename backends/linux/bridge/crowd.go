package bridge

import (
	"net"
	"net/netip"
	"sync"
)

// crowded is a listener that lets a number of connections in at once, of each address and of all;
// others are closed as they come, so that no guest keeps the rest out.
type crowded struct {
	net.Listener
	ofOne, ofAll int

	mu   sync.Mutex
	from map[netip.Addr]int
	all  int
}

func crowd(l net.Listener, ofOne, ofAll int) *crowded {
	return &crowded{Listener: l, ofOne: ofOne, ofAll: ofAll, from: map[netip.Addr]int{}}
}

// Accept waits for a connection that is let in.
func (l *crowded) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at, err := netip.ParseAddrPort(c.RemoteAddr().String())
		if err == nil && l.enter(at.Addr()) {
			return &admitted{Conn: c, leave: sync.OnceFunc(func() { l.leave(at.Addr()) })}, nil
		}
		_ = c.Close()
	}
}

func (l *crowded) enter(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.ofAll || l.from[a] >= l.ofOne {
		return false
	}
	l.all++
	l.from[a]++
	return true
}

func (l *crowded) leave(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.from[a]--; l.from[a] == 0 {
		delete(l.from, a)
	}
}

// admitted is a connection that was let in.
type admitted struct {
	net.Conn
	leave func()
}

// Close makes room for the next.
func (c *admitted) Close() error {
	c.leave()
	return c.Conn.Close()
}
