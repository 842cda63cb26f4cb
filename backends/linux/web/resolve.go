package web

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	device "github.com/evetwin/evetwin/core/device/web"
)

// patience is how long one server has for one question; servers are asked twice around.
const (
	patience = 5 * time.Second
	rounds   = 2
)

// maxAnswer is the longest answer that is read over UDP; longer ones come over TCP.
const maxAnswer = 4096

// errNoName is the answer that there is no such name, or that it has no address of the IP version.
var errNoName = errors.New("the name has no address")

// resolve finds the addresses of a host, of the IP version of the port's address.
func (p *port) resolve(ctx context.Context, servers []netip.Addr, host string,
) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	if len(servers) == 0 {
		return nil, fail(device.FaultNoDNS, "find %s: there is no DNS server to ask", host)
	}
	name, err := dnsmessage.NewName(absolute(host))
	if err != nil {
		return nil, fail(device.FaultNotFound, "find %s: %v", host, err)
	}
	var last error
	for range rounds {
		for _, server := range servers {
			if ctx.Err() != nil {
				break
			}
			as, err := p.ask(ctx, server, name)
			switch {
			case err == nil && len(as) > 0:
				return as, nil
			case err == nil, errors.Is(err, errNoName):
				return nil, fail(device.FaultNotFound, "find %s: %s knows no address", host, server)
			}
			last = fmt.Errorf("ask %s for %s: %w", server, host, err)
		}
	}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return nil, context.Canceled
	}
	if code := unreachable(last); code != "" {
		return nil, fail(code, "%v", last)
	}
	return nil, fail(device.FaultNoDNS, "find %s: no DNS server answers: %v", host, last)
}

// absolute is a name that no search domain is added to.
func absolute(host string) string {
	if host[len(host)-1] == '.' {
		return host
	}
	return host + "."
}

// ask puts a question to one server, over TCP if the answer does not fit.
func (p *port) ask(ctx context.Context, server netip.Addr, name dnsmessage.Name,
) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	kind := dnsmessage.TypeA
	if p.src.Is6() {
		kind = dnsmessage.TypeAAAA
	}
	q := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: kind, Class: dnsmessage.ClassINET}}}
	query, err := q.Pack()
	if err != nil {
		return nil, err
	}
	for _, network := range []string{"udp", "tcp"} {
		m, err := p.question(ctx, network, netip.AddrPortFrom(server, 53), query, &q)
		if err != nil {
			return nil, err
		}
		if !m.Truncated || network == "tcp" {
			return addresses(m, kind)
		}
	}
	return nil, errNoName
}

// question sends a query and waits for its answer.
func (p *port) question(ctx context.Context, network string, to netip.AddrPort, query []byte,
	q *dnsmessage.Message,
) (*dnsmessage.Message, error) {
	c, err := p.dial(ctx, network, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if network == "tcp" {
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	if _, err := c.Write(query); err != nil {
		return nil, err
	}
	for {
		text, err := receive(c, network)
		if err != nil {
			return nil, err
		}
		var m dnsmessage.Message
		if m.Unpack(text) == nil && m.Response && m.ID == q.ID && len(m.Questions) == 1 &&
			m.Questions[0] == q.Questions[0] {
			return &m, nil
		}
		if network == "tcp" {
			return nil, errors.New("it answers another question")
		}
	}
}

// receive reads one message.
func receive(c net.Conn, network string) ([]byte, error) {
	if network == "udp" {
		buf := make([]byte, maxAnswer)
		n, err := c.Read(buf)
		return buf[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(c, buf)
	return buf, err
}

// addresses reads an answer.
func addresses(m *dnsmessage.Message, kind dnsmessage.Type) ([]netip.Addr, error) {
	switch m.RCode {
	case dnsmessage.RCodeSuccess:
	case dnsmessage.RCodeNameError:
		return nil, errNoName
	default:
		return nil, fmt.Errorf("it answers %s", m.RCode)
	}
	var out []netip.Addr
	for _, r := range m.Answers {
		switch body := r.Body.(type) {
		case *dnsmessage.AResource:
			if kind == dnsmessage.TypeA {
				out = append(out, netip.AddrFrom4(body.A))
			}
		case *dnsmessage.AAAAResource:
			if kind == dnsmessage.TypeAAAA {
				out = append(out, netip.AddrFrom16(body.AAAA))
			}
		}
	}
	return out, nil
}
