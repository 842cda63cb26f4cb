package bridge

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	sim "github.com/evetwin/evetwin/backends/sim/bridge"
)

// tap is the raw end of a link.
type tap struct {
	t  *testing.T
	fd int
	at *unix.SockaddrLinklayer
}

// tapOf opens a link of a namespace: to send frames, and to hear what arrives.
func tapOf(t *testing.T, s *netlab.Space, link string) *tap {
	t.Helper()
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
	x := &tap{t: t, at: &unix.SockaddrLinklayer{Protocol: all,
		Ifindex: s.Find(link).Attrs().Index}}
	var err error
	s.Do(func() {
		x.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Bind(x.fd, x.at)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(x.fd) })
	if err := unix.SetsockoptInt(x.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20); err != nil {
		t.Fatal(err)
	}
	x.patience(5 * time.Second)
	return x
}

// patience is how long to wait for the next frame.
func (x *tap) patience(d time.Duration) {
	x.t.Helper()
	limit := unix.NsecToTimeval(int64(d))
	err := unix.SetsockoptTimeval(x.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *tap) send(frame []byte) {
	x.t.Helper()
	if err := unix.Sendto(x.fd, frame, 0, x.at); err != nil {
		x.t.Fatal(err)
	}
}

// tag is what a probe carries, so that it is known again behind a translation.
func tag(n int) []byte { return fmt.Appendf(nil, "<probe %d>", n) }

// next waits for the next frame and returns the number of the probe in it; -1 if it is none.
func (x *tap) next(flags int) (int, error) {
	b := make([]byte, 4096)
	n, from, err := unix.Recvfrom(x.fd, b, flags)
	if err != nil {
		return -1, err
	}
	if l, ok := from.(*unix.SockaddrLinklayer); ok && l.Pkttype == unix.PACKET_OUTGOING {
		return -1, nil
	}
	_, text, _ := strings.Cut(string(b[:n]), "<probe ")
	text, _, _ = strings.Cut(text, ">")
	if number, err := strconv.Atoi(text); err == nil {
		return number, nil
	}
	return -1, nil
}

// until hears what arrives until the probe with the given number does, and returns the numbers of
// all that arrived.
func (x *tap) until(last int) map[int]bool {
	x.t.Helper()
	got := map[int]bool{}
	for !got[last] {
		n, err := x.next(0)
		if err != nil {
			x.t.Fatalf("hear probe %d: %v", last, err)
		}
		got[n] = true
	}
	return got
}

// any waits for a probe, for as long as patience says; none is a success.
func (x *tap) any() map[int]bool {
	got := map[int]bool{}
	for {
		n, err := x.next(0)
		if err != nil {
			return got
		}
		if n >= 0 {
			return map[int]bool{n: true}
		}
	}
}

// arrived are the numbers of the probes that have arrived.
func (x *tap) arrived() map[int]bool {
	got := map[int]bool{}
	for {
		n, err := x.next(unix.MSG_DONTWAIT)
		if err != nil {
			return got
		}
		got[n] = true
	}
}

// onOneCPU keeps frames in their order: the rest of the test stays on one processor.
func onOneCPU(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	var was, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &was); err != nil {
		t.Fatal(err)
	}
	for i := range 1024 {
		if was.IsSet(i) {
			one.Set(i)
			break
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.SchedSetaffinity(0, &was); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
}

// frame is a packet of a guest, or to it, as it is on the wire. guest is the guest's address of the
// packet's family.
func frame(p sim.Packet, guest netip.Addr, from, to string, body []byte) []byte {
	src, dst, sport, dport := guest, p.Remote, p.LPort, p.RPort
	if !p.Out {
		src, dst, sport, dport = dst, src, dport, sport
	}
	var l4 []byte
	switch p.Proto {
	case 6:
		l4 = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, sport), dport)
		l4 = append(l4, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0)
	case 17:
		l4 = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, sport), dport)
		l4 = append(l4, 0, byte(8+len(body)), 0, 0)
	case 1:
		l4 = []byte{8, 0, 0, 0, 0, 7, 0, 1}
	case 58:
		l4 = []byte{p.Type, 0, 0, 0, 0, 7, 0, 1}
	}
	l4 = append(l4, body...)
	if at, ok := map[uint8]int{6: 16, 17: 6, 1: 2, 58: 2}[p.Proto]; ok {
		pseudo := append(append([]byte{0, p.Proto}, src.AsSlice()...), dst.AsSlice()...)
		pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(l4)))
		if p.Proto == 1 {
			pseudo = nil
		}
		binary.BigEndian.PutUint16(l4[at:], checksum(append(pseudo, l4...)))
	}
	return append(ethernet(from, to, dst.Is4()), ip(p.Proto, src, dst, 0, l4)...)
}

// ethernet is the head of a frame.
func ethernet(from, to string, is4 bool) []byte {
	var out []byte
	for _, m := range []string{to, from} {
		mac, _ := net.ParseMAC(m)
		out = append(out, mac...)
	}
	if is4 {
		return append(out, 8, 0)
	}
	return append(out, 0x86, 0xdd)
}

// ip is a packet of either family. frag is what stands in the word of fragments of IPv4.
func ip(proto uint8, src, dst netip.Addr, frag uint16, l4 []byte) []byte {
	if !src.Is4() {
		h := []byte{0x60, 0, 0, 0, 0, 0, proto, 64}
		binary.BigEndian.PutUint16(h[4:], uint16(len(l4)))
		h = append(append(h, src.AsSlice()...), dst.AsSlice()...)
		return append(h, l4...)
	}
	h := []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, proto, 0, 0}
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(l4)))
	binary.BigEndian.PutUint16(h[6:], frag)
	h = append(append(h, src.AsSlice()...), dst.AsSlice()...)
	binary.BigEndian.PutUint16(h[10:], checksum(h))
	return append(h, l4...)
}

func checksum(b []byte) uint16 {
	if len(b)%2 == 1 {
		b = append(b[:len(b):len(b)], 0)
	}
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
