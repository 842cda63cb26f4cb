package nic

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
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// errTaken says that somebody else uses an address.
var errTaken = errors.New("somebody else uses the address")

// Probes for duplicates: one would do on a cable, radio loses packets. RFC 5227 waits seconds;
// that is as long as all the rest of a start, and the server has looked, too.
const (
	probes    = 2
	probeWait = 20 * time.Millisecond
)

// arpSize is the size of an ARP packet for IPv4 over Ethernet.
const arpSize = 28

// probePacket asks who has an address without saying that we do (RFC 5227).
func probePacket(mac net.HardwareAddr, a netip.Addr) []byte {
	b := make([]byte, arpSize)
	binary.BigEndian.PutUint16(b[0:], 1)
	binary.BigEndian.PutUint16(b[2:], unix.ETH_P_IP)
	b[4], b[5] = 6, 4
	binary.BigEndian.PutUint16(b[6:], 1) // request
	copy(b[8:], mac)
	copy(b[24:], a.AsSlice())
	return b
}

// announcePacket says that we have an address: a request for our own (RFC 5227, 2.3).
func announcePacket(mac net.HardwareAddr, a netip.Addr) []byte {
	b := probePacket(mac, a)
	copy(b[14:], a.AsSlice())
	return b
}

// claims reports whether an ARP packet says that somebody but us has, or is about to take, an
// address.
func claims(b []byte, mac net.HardwareAddr, a netip.Addr) bool {
	if len(b) < arpSize || bytes.Equal(b[8:14], mac) {
		return false
	}
	sender, target := netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	return sender == a || sender.IsUnspecified() && target == a
}

// arp is a socket for ARP on the interface.
func (c *clients) arp() (conn *packet.Conn, err error) {
	err = netspace.Do(c.m.k.Space, func() error {
		ifi, err := net.InterfaceByIndex(c.index)
		if err == nil {
			conn, err = packet.Listen(ifi, packet.Datagram, unix.ETH_P_ARP, nil)
		}
		return err
	})
	return conn, err
}

// announce tells the link that an address is ours now: another interface may have had it.
func (c *clients) announce(a netip.Addr) {
	conn, err := c.arp()
	if err == nil {
		defer c.later(conn)
		_, err = conn.WriteTo(announcePacket(c.mac, a),
			&packet.Addr{HardwareAddr: nclient4.BroadcastMac})
	}
	if err != nil && c.ctx.Err() == nil {
		c.m.Report(fmt.Errorf("announce %s on %s: %w", a, c.link, err))
	}
}

// probe asks the link whether somebody uses an address.
func (c *clients) probe(a netip.Addr) (bool, error) {
	conn, err := c.arp()
	if err != nil {
		return false, fmt.Errorf("look for others with %s: %w", a, err)
	}
	defer c.later(conn)
	b := make([]byte, 128)
	for range probes {
		if _, err := conn.WriteTo(probePacket(c.mac, a),
			&packet.Addr{HardwareAddr: nclient4.BroadcastMac}); err != nil {
			return false, fmt.Errorf("ask who has %s: %w", a, err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(probeWait)); err != nil {
			return false, fmt.Errorf("ask who has %s: %w", a, err)
		}
		for {
			n, _, err := conn.ReadFrom(b)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return false, fmt.Errorf("hear who has %s: %w", a, err)
			}
			if claims(b[:n], c.mac, a) {
				return true, nil
			}
		}
	}
	return false, nil
}

// decline tells the server that the address it gave is taken.
func (c *clients) decline(conn net.PacketConn, ack *dhcpv4.DHCPv4) error {
	d, err := dhcpv4.New(dhcpv4.WithMessageType(dhcpv4.MessageTypeDecline),
		dhcpv4.WithHwAddr(c.mac),
		dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(ack.YourIPAddr)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(ack.ServerIdentifier())))
	if err == nil {
		_, err = conn.WriteTo(d.ToBytes(), nclient4.DefaultServers)
	}
	if err != nil {
		return fmt.Errorf("decline %s: %w", ack.YourIPAddr, err)
	}
	return nil
}
