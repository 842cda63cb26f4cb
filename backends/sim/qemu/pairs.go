package qemu

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Pair returns a connected pair of unix stream sockets: ours, and a descriptor for QEMU to
// inherit. The caller closes both; theirs as soon as QEMU has started.
func Pair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "socket of qemu")
	file := os.NewFile(uintptr(fds[0]), "socket to qemu")
	defer func() { _ = file.Close() }() // FileConn works on a duplicate
	ours, err = net.FileConn(file)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	return ours, theirs, nil
}

// pairs are several socket pairs that are closed together.
type pairs struct {
	ours   []net.Conn
	theirs []*os.File
}

func newPairs(n int) (*pairs, error) {
	all := &pairs{}
	for range n {
		ours, theirs, err := Pair()
		if err != nil {
			all.closeOurs()
			all.closeTheirs()
			return nil, err
		}
		all.ours, all.theirs = append(all.ours, ours), append(all.theirs, theirs)
	}
	return all, nil
}

// closeTheirs closes our copies of QEMU's ends. It may be called again.
func (p *pairs) closeTheirs() {
	for _, file := range p.theirs {
		_ = file.Close()
	}
}

func (p *pairs) closeOurs() {
	for _, conn := range p.ours {
		_ = conn.Close()
	}
}
