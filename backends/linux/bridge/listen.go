package bridge

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"
)

// heard is an address that somebody was seen to use, or given.
type heard struct {
	Index int // of the interface
	MAC   net.HardwareAddr
	IP    netip.Addr
	Life  time.Duration // how long to believe it
}

// arpLife is how long an address counts that a guest used without being given it.
const arpLife = 10 * time.Minute

// listen opens a socket that hears of addresses on all interfaces: ARP, neighbour discovery, and
// what DHCP servers say.
func listen() (*os.File, error) {
	proto := int(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL)))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("listen to guests: %w", err)
	}
	code := hears()
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: uint16(proto)})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen to guests: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "packets"), nil
}

// hears is the filter of the socket.
func hears() []unix.SockFilter {
	const (
		half  = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		octet = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	)
	return []unix.SockFilter{
		{Code: half, K: 12}, // type of the frame
		{Code: equal, K: unix.ETH_P_ARP, Jt: 12},
		{Code: equal, K: unix.ETH_P_IPV6, Jf: 4},
		{Code: octet, K: 20}, // next header
		{Code: equal, K: unix.IPPROTO_ICMPV6, Jf: 10},
		{Code: octet, K: 54}, // type of ICMPv6
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: 135, Jt: 7, Jf: 8},
		{Code: equal, K: unix.ETH_P_IP, Jf: 7},
		{Code: octet, K: 23}, // protocol
		{Code: equal, K: unix.IPPROTO_UDP, Jf: 5},
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 14}, // length of the header
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 14},  // port it comes from
		{Code: equal, K: 67, Jf: 2},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
}

// hear hands on what is heard until the socket is closed.
func hear(f *os.File, tell func(heard)) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	b := make([]byte, 1<<16)
	for {
		var n int
		var from unix.Sockaddr
		var fault error
		err := c.Read(func(fd uintptr) bool {
			n, from, fault = unix.Recvfrom(int(fd), b, 0)
			return !errors.Is(fault, unix.EAGAIN) && !errors.Is(fault, unix.EINTR)
		})
		if err != nil {
			return
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if fault != nil || !ok {
			continue // an interface went down
		}
		if x, ok := understand(b[:n], link.Pkttype == unix.PACKET_OUTGOING); ok {
			x.Index = link.Ifindex
			tell(x)
		}
	}
}

// understand finds an address in a frame: one that its sender uses, or, in a frame to a guest, one
// that a DHCP server gives it.
func understand(b []byte, out bool) (heard, bool) {
	if len(b) < 42 {
		return heard{}, false
	}
	from := net.HardwareAddr(bytes.Clone(b[6:12]))
	switch kind := binary.BigEndian.Uint16(b[12:]); {
	case kind == unix.ETH_P_ARP && !out:
		ip := netip.AddrFrom4([4]byte(b[28:32]))
		return heard{MAC: bytes.Clone(b[22:28]), IP: ip, Life: arpLife}, !ip.IsUnspecified()
	case kind == unix.ETH_P_IPV6 && !out && len(b) >= 78:
		ip := netip.AddrFrom16([16]byte(b[22:38]))
		if ip.IsUnspecified() || b[54] == 136 {
			ip = netip.AddrFrom16([16]byte(b[62:78])) // looks for duplicates, or advertises itself
		}
		return heard{MAC: from, IP: ip, Life: arpLife}, (b[54] == 135 || b[54] == 136) &&
			ip.IsGlobalUnicast()
	case kind == unix.ETH_P_IP && out:
		return given(b)
	}
	return heard{}, false
}

// given is the address that a DHCP server gives.
func given(b []byte) (heard, bool) {
	at := 14 + int(b[14]&0xf)*4 + 8
	if at > len(b) {
		return heard{}, false
	}
	m, err := dhcpv4.FromBytes(b[at:])
	if err != nil || m.MessageType() != dhcpv4.MessageTypeAck {
		return heard{}, false
	}
	ip, ok := netip.AddrFromSlice(m.YourIPAddr.To4())
	return heard{MAC: m.ClientHWAddr, IP: ip, Life: m.IPAddressLeaseTime(arpLife)},
		ok && !ip.IsUnspecified() // an answer to INFORM gives none
}

// learn takes what was heard.
func (m *machine) learn(x heard) {
	m.Lock()
	defer m.Unlock()
	vif := ""
	for name, index := range m.indices {
		if index == x.Index {
			vif = name
		}
	}
	s := m.spec("vif/" + vif)
	if vif == "" || m.Closed || s != nil && s.Vif.MAC != "" && !same(s.Vif.MAC, x.MAC) {
		return
	}
	known := m.learned[vif]
	if known == nil {
		known = map[string]time.Time{}
		m.learned[vif] = known
	}
	was, ends := known[x.IP.String()], time.Now().Add(x.Life)
	if was.Before(ends) {
		known[x.IP.String()] = ends
	}
	if was.IsZero() {
		if err := m.save(); err != nil {
			m.Report(err)
		}
		m.Watch.Ring()
	}
}

// same compares a MAC of a spec.
func same(text string, mac net.HardwareAddr) bool {
	m, err := net.ParseMAC(text)
	return err == nil && bytes.Equal(m, mac)
}

// used are the addresses that a guest is known to use, sorted; those that ended are forgotten, and
// the next end wakes.
func (m *machine) used(vif string, now time.Time) []netip.Addr {
	var out []netip.Addr
	for text, ends := range m.learned[vif] {
		if !ends.After(now) {
			delete(m.learned[vif], text)
			continue
		}
		if m.next.IsZero() || ends.Before(m.next) {
			m.next = ends
		}
		out = append(out, netip.MustParseAddr(text))
	}
	sortAddrs(out)
	return out
}
