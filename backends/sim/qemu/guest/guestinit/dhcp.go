package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// DHCP message types and options (RFC 2131, RFC 2132).
const (
	discover, offer, request, ack, nak = 1, 2, 3, 5, 6

	optMask, optRouter, optDNS, optDomain, optMTU = 1, 3, 6, 15, 26
	optAddress, optLifetime, optType, optServer   = 50, 51, 53, 54
	optParameters, optEnd                         = 55, 255
	dhcpHeader, ipHeader, udpHeader               = 240, 20, 8
	clientPort, serverPort                        = 68, 67
	magicCookie                                   = 0x63825363
	firstTry                                      = 250 * time.Millisecond
	tries                                         = 8
	defaultLifetime                               = time.Hour
	etherTypeIP                                   = 0x0800
)

// lease is what a DHCP server gave.
type lease struct {
	address, mask, router, server netip.Addr
	dns                           []netip.Addr
	domain                        string
	mtu                           int
	lifetime                      time.Duration
}

// acquire gets a lease: discover, offer, request, acknowledge.
func acquire(name string) (lease, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return lease{}, err
	}
	fd, err := syscall.Socket(syscall.AF_PACKET,
		syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, int(swap16(etherTypeIP)))
	if err != nil {
		return lease{}, fmt.Errorf("open packet socket: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	to := &syscall.SockaddrLinklayer{
		Protocol: swap16(etherTypeIP), Ifindex: device.Index, Halen: 6,
		Addr: [8]byte{255, 255, 255, 255, 255, 255},
	}
	if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{
		Protocol: swap16(etherTypeIP), Ifindex: device.Index,
	}); err != nil {
		return lease{}, fmt.Errorf("bind packet socket: %w", err)
	}
	c := client{fd: fd, to: to, mac: device.HardwareAddr, id: uint32(time.Now().UnixNano())}
	offered, err := c.exchange(discover, lease{}, offer)
	if err != nil {
		return lease{}, err
	}
	return c.exchange(request, offered, ack)
}

// client is one exchange with DHCP servers on one interface.
type client struct {
	fd  int
	to  syscall.Sockaddr
	mac net.HardwareAddr
	id  uint32
}

// exchange sends a message until the wanted answer comes, with growing patience.
func (c client) exchange(kind byte, about lease, want byte) (lease, error) {
	patience := firstTry
	for range tries {
		if err := syscall.Sendto(c.fd, c.message(kind, about), 0, c.to); err != nil {
			return lease{}, fmt.Errorf("send DHCP message: %w", err)
		}
		deadline := time.Now().Add(patience)
		for time.Now().Before(deadline) {
			got, kind, err := c.receive(time.Until(deadline))
			switch {
			case err != nil:
				return lease{}, err
			case kind == nak:
				return lease{}, errors.New("DHCP server refuses")
			case kind == want:
				return got, nil
			}
		}
		patience = min(2*patience, 4*time.Second)
	}
	return lease{}, errors.New("no DHCP server answers")
}

// receive waits for one message for us. Kind 0 means that nothing of interest came.
func (c client) receive(wait time.Duration) (lease, byte, error) {
	timeout := syscall.NsecToTimeval(max(wait, time.Millisecond).Nanoseconds())
	if err := syscall.SetsockoptTimeval(
		c.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &timeout); err != nil {
		return lease{}, 0, err
	}
	packet := make([]byte, 2048)
	n, _, err := syscall.Recvfrom(c.fd, packet, 0)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return lease{}, 0, nil
	}
	if err != nil {
		return lease{}, 0, fmt.Errorf("receive DHCP message: %w", err)
	}
	got, kind := parse(packet[:n], c.id)
	return got, kind, nil
}

// message builds an IP packet with a DHCP message.
func (c client) message(kind byte, about lease) []byte {
	options := []byte{optType, 1, kind,
		optParameters, 5, optMask, optRouter, optDNS, optDomain, optMTU}
	if about.address.IsValid() {
		address, server := about.address.As4(), about.server.As4()
		options = append(append(options, optAddress, 4), address[:]...)
		options = append(append(options, optServer, 4), server[:]...)
	}
	options = append(options, optEnd)
	p := make([]byte, ipHeader+udpHeader+dhcpHeader, ipHeader+udpHeader+dhcpHeader+len(options))
	p = append(p, options...)
	dhcp := p[ipHeader+udpHeader:]
	dhcp[0], dhcp[1], dhcp[2] = 1, 1, 6 // request, Ethernet, addresses of six bytes
	binary.BigEndian.PutUint32(dhcp[4:], c.id)
	dhcp[10] = 0x80 // answer by broadcast: we have no address yet
	copy(dhcp[28:], c.mac)
	binary.BigEndian.PutUint32(dhcp[236:], magicCookie)
	udp := p[ipHeader:]
	binary.BigEndian.PutUint16(udp, clientPort)
	binary.BigEndian.PutUint16(udp[2:], serverPort)
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	p[0], p[8], p[9] = 0x45, 64, syscall.IPPROTO_UDP
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[16:20], []byte{255, 255, 255, 255})
	binary.BigEndian.PutUint16(p[10:], checksum(p[:ipHeader]))
	return p
}

// parse reads an IP packet. Kind 0 means that it is none of ours.
func parse(p []byte, id uint32) (got lease, kind byte) {
	if len(p) < ipHeader || p[0]>>4 != 4 || p[9] != syscall.IPPROTO_UDP {
		return lease{}, 0
	}
	header := int(p[0]&15) * 4
	if len(p) < header+udpHeader+dhcpHeader {
		return lease{}, 0
	}
	udp, dhcp := p[header:], p[header+udpHeader:]
	if binary.BigEndian.Uint16(udp[2:]) != clientPort || dhcp[0] != 2 ||
		binary.BigEndian.Uint32(dhcp[4:]) != id ||
		binary.BigEndian.Uint32(dhcp[236:]) != magicCookie {
		return lease{}, 0
	}
	got.address = netip.AddrFrom4([4]byte(dhcp[16:20]))
	got.lifetime = defaultLifetime
	options := dhcp[dhcpHeader:]
	for len(options) > 1 && options[0] != optEnd {
		if options[0] == 0 {
			options = options[1:]
			continue
		}
		end := 2 + int(options[1])
		if end > len(options) {
			break
		}
		if options[0] == optType && end == 3 {
			kind = options[2]
		}
		got.option(options[0], options[2:end])
		options = options[end:]
	}
	return got, kind
}

// option takes in one option of an answer.
func (l *lease) option(code byte, value []byte) {
	switch {
	case code == optDomain:
		l.domain = string(value)
	case code == optMTU && len(value) == 2:
		l.mtu = int(binary.BigEndian.Uint16(value))
	case len(value) < 4:
	case code == optMask:
		l.mask = netip.AddrFrom4([4]byte(value))
	case code == optRouter:
		l.router = netip.AddrFrom4([4]byte(value))
	case code == optServer:
		l.server = netip.AddrFrom4([4]byte(value))
	case code == optLifetime:
		l.lifetime = time.Duration(binary.BigEndian.Uint32(value)) * time.Second
	case code == optDNS:
		for ; len(value) >= 4; value = value[4:] {
			l.dns = append(l.dns, netip.AddrFrom4([4]byte(value)))
		}
	}
}

func checksum(header []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// swap16 gives the kernel a number in network byte order.
func swap16(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}
