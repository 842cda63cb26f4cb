package nic

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/rfc1035label"
)

// advert is a router advertisement (RFC 4861, 8106), as far as the kernel does not see to it.
type advert struct {
	managed, other bool
	life           time.Duration // of the router as a default; 0: it is none
	mtu            uint32
	dns            []netip.Addr
	dnsLife        time.Duration
	search         []string
}

// Types of ICMPv6 messages and options.
const (
	solicitation  = 133
	advertisement = 134
	optionMTU     = 5
	optionDNS     = 25
	optionSearch  = 31
	advertHead    = 16
)

var errAdvert = errors.New("the router advertisement makes no sense")

// parseAdvert reads an advertisement from its ICMPv6 header on.
func parseAdvert(b []byte) (*advert, error) {
	if len(b) < advertHead || b[0] != advertisement || b[1] != 0 {
		return nil, errAdvert
	}
	a := &advert{managed: b[5]&0x80 != 0, other: b[5]&0x40 != 0,
		life: time.Duration(binary.BigEndian.Uint16(b[6:])) * time.Second}
	for b = b[advertHead:]; len(b) > 0; {
		if len(b) < 8 || b[1] == 0 || len(b) < 8*int(b[1]) {
			return nil, errAdvert
		}
		a.option(b[0], b[:8*int(b[1])])
		b = b[8*int(b[1]):]
	}
	return a, nil
}

// option reads an option of at least eight bytes.
func (a *advert) option(kind byte, b []byte) {
	life := time.Duration(binary.BigEndian.Uint32(b[4:])) * time.Second
	switch kind {
	case optionMTU:
		a.mtu = binary.BigEndian.Uint32(b[4:])
	case optionDNS:
		for b = b[8:]; len(b) >= 16 && life > 0; b = b[16:] {
			a.dns = append(a.dns, netip.AddrFrom16([16]byte(b)))
		}
		a.dnsLife = life
	case optionSearch:
		// The labels are padded with zeros, which read as empty names.
		if l, err := rfc1035label.FromBytes(b[8:]); err == nil && life > 0 {
			for _, name := range l.Labels {
				if name != "" {
					a.search = append(a.search, name)
				}
			}
		}
	}
}
