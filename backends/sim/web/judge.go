package web

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
)

// codes says what an error of the world is to the part's caller.
var codes = map[world.Code]string{
	world.NoCarrier: device.FaultUnreachable, world.NoRoute: device.FaultUnreachable,
	world.Unreachable: device.FaultUnreachable, world.Refused: device.FaultConnRefused,
	world.Timeout: device.FaultTimeout, world.NoDNS: device.FaultNoDNS,
	world.DNSTimeout: device.FaultNoDNS, world.DNSRefused: device.FaultNoDNS,
	world.DNSNotFound: device.FaultNotFound, world.ProxyRefused: device.FaultProxy,
	world.ProxyAuth: device.FaultProxy, world.ProxyGateway: device.FaultProxy,
	world.TLS: device.FaultReset, world.Reset: device.FaultReset,
}

// judge says what is wrong with an answer below HTTP: the way to the server, or its certificate.
func (w *Web) judge(rawURL, policy string, via *device.Via, r *world.Request, res *world.Result,
) *agent.Fault {
	if e := res.Err; e != nil && !answered(r, res) {
		code := codes[e.Code]
		if code == "" {
			code = device.FaultUnreachable
		}
		return &agent.Fault{Code: code, Text: rawURL + " over " + via.IfName + ": " + e.Error(),
			Retry: true}
	}
	if r.Proxy != nil && r.Proxy.Scheme == "https" && res.ProxyTLS != nil {
		if f := w.trust(policy, via, res.ProxyTLS, r.Proxy.Hostname()); f != nil {
			return f
		}
	}
	if r.URL.Scheme == "https" && res.TLS != nil {
		return w.trust(policy, via, res.TLS, r.HostName())
	}
	return nil
}

// answered reports whether a proxy answered in the place of a server: in the clear nobody can tell
// one from the other. What is asked of the device itself, a login, is told from it.
func answered(r *world.Request, res *world.Result) bool {
	return res.Err != nil && res.Response != nil && r.URL.Scheme == "http" &&
		(res.Err.Code == world.ProxyRefused || res.Err.Code == world.ProxyGateway)
}

// sessions remembers which servers were verified, as a TLS client does to resume: a resumed
// handshake shows no certificate.
type sessions map[[32]byte]time.Time

// sessionLife is how long a session can be resumed.
const sessionLife = 24 * time.Hour

// trust verifies the chain a server shows against the roots of the policy.
func (w *Web) trust(policy string, via *device.Via, t *world.TLSState, name string) *agent.Fault {
	now := w.pt.Wall()
	key := w.session(policy, via, t, name)
	if until, ok := w.sessions[key]; ok && now.Before(until) && now.After(until.Add(-sessionLife)) {
		return nil
	}
	roots := x509.NewCertPool()
	for _, p := range w.Roots(policy) {
		roots.AppendCertsFromPEM([]byte(p))
	}
	for _, p := range via.RootPEM {
		roots.AppendCertsFromPEM([]byte(p))
	}
	var leaf *x509.Certificate
	rest := x509.NewCertPool()
	for i, der := range t.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return &agent.Fault{Code: device.FaultCertInvalid, Retry: true,
				Text: "certificate of " + name + ": " + err.Error()}
		}
		if i == 0 {
			leaf = c
		} else {
			rest.AddCert(c)
		}
	}
	if leaf == nil {
		return &agent.Fault{Code: device.FaultCertUnknown, Retry: true,
			Text: name + " shows no certificate"}
	}
	host := name
	if net.ParseIP(name) != nil && strings.Contains(name, ":") {
		host = "[" + name + "]"
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: rest,
		CurrentTime: now})
	if err != nil {
		return certFault(name, t, err)
	}
	if w.sessions == nil {
		w.sessions = sessions{}
	}
	w.sessions[key] = now.Add(min(sessionLife, leaf.NotAfter.Sub(now)))
	return nil
}

// session is the key of a session: server, its chain, and what the client trusts.
func (w *Web) session(policy string, via *device.Via, t *world.TLSState, name string) [32]byte {
	h := sha256.New()
	h.Write([]byte(name + "\x00" + policy + "\x00"))
	if len(t.Chain) > 0 {
		h.Write(t.Chain[0])
	}
	for _, p := range w.Roots(policy) {
		h.Write([]byte(p))
	}
	for _, p := range via.RootPEM {
		h.Write([]byte(p))
	}
	return [32]byte(h.Sum(nil))
}

func certFault(name string, t *world.TLSState, err error) *agent.Fault {
	text := "certificate of " + name
	if t.By != world.ByOrigin {
		text += ", shown by " + t.By
	}
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	code := device.FaultCertUnknown
	if errors.As(err, &invalid) || errors.As(err, &host) {
		code = device.FaultCertInvalid
	}
	return &agent.Fault{Code: code, Text: text + ": " + err.Error(), Retry: true}
}

// Fingerprint is a short name of a certificate, for messages.
func Fingerprint(der []byte) string {
	h := sha256.Sum256(der)
	return hex.EncodeToString(h[:8])
}
