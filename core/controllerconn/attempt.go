package controllerconn

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/network"
)

// next makes the next attempt: the first port in order with a source address that was not tried.
// What a port lacks is noted once. Ports are looked at anew each time, so that an exchange takes
// up what has changed meanwhile.
func (s *step) next() {
	url := s.c.url(s.t, &s.x.Request)
	ports := s.ports
	if !s.x.Test {
		if n := s.c.Network(); n != nil {
			ports = n.Ports
		}
	}
	order := PortOrder(ports, s.x.Iteration-1, s.x.Test)
	for _, i := range order {
		p := &ports[i]
		proxy, err := ProxyFor(&p.ProxyConfig, url)
		if err != nil {
			s.skip(p, Attempt{Error: err.Error()})
			continue
		}
		if why := NotReady(p, proxy); why != "" {
			s.skip(p, Attempt{Error: why, NotReady: true})
			continue
		}
		for _, source := range p.Addrs() {
			if !s.tried(p.IfName, source.String()) {
				s.try(p, source, proxy, url, ports)
				return
			}
		}
	}
	if s.x.Status == StatusNone {
		s.x.Status = StatusFailed
	}
	text := describe(s.x.Attempts)
	if len(order) == 0 {
		text = "no management interfaces"
	}
	s.end(StageFailed, text)
}

func (s *step) tried(ifName, source string) bool {
	for i := range s.x.Attempts {
		if a := &s.x.Attempts[i]; a.IfName == ifName && a.Source == source {
			return true
		}
	}
	return false
}

func (s *step) skip(p *network.NetworkPortStatus, a Attempt) {
	if a.IfName = p.IfName; !s.tried(p.IfName, "") {
		s.add(a)
	}
}

// try sends through a port from one of its addresses.
func (s *step) try(p *network.NetworkPortStatus, source netip.Addr, proxy, url string,
	ports []network.NetworkPortStatus,
) {
	r := &s.x.Request
	req := web.SendReq{
		Via: web.Via{
			IfName: p.IfName, Source: source, DNS: p.DNSServers, Proxy: proxy, RootPEM: Roots(ports),
		},
		Method: r.Endpoint.Method(), URL: url, TLS: web.TLSController, Dial: s.c.dial(),
		Timeout: s.x.Deadline - s.t.Now, Header: s.header(),
	}
	if r.Endpoint == eveapi.Config {
		req.Keep = web.KeepConfig
	}
	if d := s.c.attempt(r); d > 0 {
		req.Timeout = min(req.Timeout, d)
	}
	if req.Method == "POST" {
		signed := s.c.sign.Get(s.x.Name)
		if signed.Phase != agent.Done {
			s.x.Stage, s.moved = StageSigning, true
			s.askSign()
			return
		}
		req.Body = eveapi.Seal(r.Payload, signed.Res.RS, signed.Res.CertHash[:], r.SenderPEM)
	}
	s.x.Stage, s.moved = StageSending, true
	s.x.IfName, s.x.Source, s.x.Proxy = p.IfName, source, proxy
	s.c.send.Want(s.x.Name, req)
}

// header is the headers of one attempt, each with an identifier of its own.
func (s *step) header() []web.Header {
	r := &s.x.Request
	n := strconv.Itoa(s.x.Iteration) + "." + strconv.Itoa(len(s.x.Attempts))
	rnd := s.t.Rand("request/" + s.x.Name + "/" + n)
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], rnd.Uint64())
	binary.BigEndian.PutUint64(id[8:], rnd.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	list := eveapi.RequestHeaders(eveapi.Sender{
		RequestID: id.String(), Onboarded: s.c.Device() != "",
		Serial: r.Serial, SoftSerial: r.SoftSerial,
	}, r.Endpoint.Method() == "POST")
	out := make([]web.Header, len(list))
	for i, h := range list {
		out[i] = web.Header{Name: h.Name, Value: h.Value}
	}
	return out
}

// secure reports whether an answer must have come over TLS.
func (s *step) secure() bool {
	return !strings.HasPrefix(s.x.Request.URL, "http:")
}
