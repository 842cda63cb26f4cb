package controllerconn

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

// Topics are the Local topics in which an agent's connection remembers.
type Topics struct {
	Exchanges bus.Topic[Exchange]
	Dues      bus.Topic[Due]
	Passes    bus.Topic[Pass]
	Sents     bus.Topic[Sent]
}

// maxSteps bounds the steps of exchanges in a minute: a device with many applications, networks and
// blobs that move at once has several hundred things to tell, one after the other, at four steps.
const maxSteps = 4000

// Declare makes the topics of one agent; it is called once, for a package variable of the agent.
func Declare(owner string) Topics {
	return Topics{
		Exchanges: bus.NewTopic[Exchange](bus.Decl{Owner: owner, Name: "Exchange", Life: bus.Local,
			MaxRows: 64, MaxBytes: maxExchange, MaxPuts: maxSteps}),
		Dues: bus.NewTopic[Due](bus.Decl{Owner: owner, Name: "Due", Life: bus.Local, MaxRows: MaxDue,
			MaxPuts: maxSteps}),
		Passes: bus.NewTopic[Pass](bus.Decl{Owner: owner, Name: "QueuePass", Life: bus.Local,
			MaxRows: 1, MaxPuts: maxSteps}),
		Sents: bus.NewTopic[Sent](bus.Decl{Owner: owner, Name: "Sent", Life: bus.Local,
			MaxRows: MaxDue, MaxPuts: maxSteps}),
	}
}

// Options of a connection.
type Options struct {
	// Timeout bounds one attempt on one port where the request says nothing; 0: timer.send.timeout.
	Timeout time.Duration
	// Dial bounds connecting; 0: timer.dial.timeout.
	Dial time.Duration
}

// Conn is an agent's connection to the controller. It is wiring only.
type Conn struct {
	o      Options
	agent  string
	server *File
	rows   *bus.Pub[Exchange]
	dues   *bus.Pub[Due]
	passes *bus.Pub[Pass]
	sents  *bus.Pub[Sent]
	meter  *bus.Pub[metrics.MetricsMap] // nil for an agent that counts nothing
	send   *agent.Calls[web.SendReq, web.SendRes]
	sign   *agent.Calls[tpm.SignReq, tpm.SignRes]
	items  bus.Table[config.ConfigItemValueMap]
	net    bus.Table[network.DeviceNetworkStatus]
	who    bus.Table[node.OnboardingStatus]
	certs  []bus.Table[security.ControllerCert] // those that count first come first
}

// Attach wires a connection into the agent that is being constructed: its ops web.Send, tpm.Sign
// and store.Read, its row of MetricsMap, and what decides on the way to the controller.
func Attach(p bus.Port, topics Topics, o Options) *Conn {
	c := &Conn{
		o: o, agent: p.Agent(), server: AttachFile(p, ServerFile),
		rows:   bus.Publish(p, topics.Exchanges),
		dues:   bus.Publish(p, topics.Dues),
		passes: bus.Publish(p, topics.Passes),
		sents:  bus.Publish(p, topics.Sents),
		send:   agent.Use(p, web.Send),
		sign:   agent.Use(p, tpm.Sign),
		items:  tableOf(p, config.Items, bus.Quiet),
		net:    tableOf(p, network.DNS, bus.Optional),
		who:    tableOf(p, node.Onboarding, bus.Optional),
	}
	if slices.Contains(metrics.Maps.Owners(), c.agent) {
		c.meter = bus.Publish(p, metrics.Maps.Of(c.agent))
	}
	for _, o := range security.ControllerCerts.Owners() {
		table := tableOf(p, security.ControllerCerts.Of(o), bus.Quiet)
		if o == c.agent { // who fetches certificates itself trusts those first
			c.certs = slices.Insert(c.certs, 0, table)
		} else {
			c.certs = append(c.certs, table)
		}
	}
	return c
}

// tableOf reads a topic, be it another's or the agent's own.
func tableOf[V bus.Row](p bus.Port, t bus.Topic[V], m bus.Mode) bus.Table[V] {
	if t.Owner == p.Agent() {
		return bus.Publish(p, t).Table
	}
	return bus.Subscribe(p, t, m).Table
}

// ServerFile holds the controller's name, "host" or "host:port".
const ServerFile = store.ServerFile

// Server is the controller's name, empty while it is not known: the file is missing, empty or not
// read yet.
func (c *Conn) Server(t *agent.Turn) string { return c.server.Line(t) }

// url is where a request goes, empty while that is not known.
func (c *Conn) url(t *agent.Turn, r *Request) string {
	if r.URL != "" {
		return r.URL
	}
	server := c.Server(t)
	if server == "" {
		return ""
	}
	device := ""
	switch r.Endpoint {
	case eveapi.Ping, eveapi.Certs, eveapi.Register, eveapi.UUID:
	default:
		if device = c.Device(); device == "" {
			return ""
		}
	}
	if r.App != "" {
		return eveapi.AppNewLogsURL(server, device, r.App)
	}
	return eveapi.URL(server, r.Endpoint, device)
}

// Device is the device's UUID, empty before it is onboarded.
func (c *Conn) Device() string {
	if o := c.who.Get("global"); o != nil {
		return o.DeviceUUID
	}
	return ""
}

// Network is the state of the device's ports, nil before nim has told any.
func (c *Conn) Network() *network.DeviceNetworkStatus { return c.net.Get("global") }

func (c *Conn) settings() *config.ConfigItemValueMap { return c.items.Get("global") }

// attempt is how long one attempt may take.
func (c *Conn) attempt(r *Request) time.Duration {
	switch {
	case r.Timeout > 0:
		return r.Timeout
	case c.o.Timeout > 0:
		return c.o.Timeout
	}
	return c.settings().Seconds(config.SendTimeout)
}

func (c *Conn) dial() time.Duration {
	if c.o.Dial > 0 {
		return c.o.Dial
	}
	return c.settings().Seconds(config.DialTimeout)
}

const maxExchangeTime = 4 * time.Minute

// limit is how long all attempts of an exchange may take.
func (c *Conn) limit(r *Request) time.Duration {
	if d := 3 * c.attempt(r); d > 0 {
		return min(d, maxExchangeTime)
	}
	return maxExchangeTime
}

// typeSigning is ZCertType CERT_TYPE_CONTROLLER_SIGNING.
const typeSigning = 1

// trusted lists the controller's signing certificates in force: the agent's own, else those of
// zedagent, else those of zedclient.
func (c *Conn) trusted() []eveapi.TrustedCert {
	for _, table := range c.certs {
		var out []eveapi.TrustedCert
		for _, row := range table.All() {
			if row.Type != typeSigning {
				continue
			}
			if tc, ok := trust([]byte(row.Cert)); ok {
				out = append(out, tc)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// OpenKept verifies an envelope with the certificates in force and returns what is in it:
// references in the place of the secrets that a part kept back. kept is what the part said, nil if
// the envelope is as it came.
func (c *Conn) OpenKept(envelope []byte, kept *security.Kept) ([]byte, *eveapi.Fault) {
	if kept == nil {
		return eveapi.Open(envelope, c.trusted())
	}
	if fault := secret.Refused(kept); fault != nil {
		return nil, fault
	}
	return eveapi.OpenStripped(envelope, secret.Original(kept), c.trusted())
}

// trust takes the key out of a certificate whose chain was verified when it was fetched.
func trust(text []byte) (eveapi.TrustedCert, bool) {
	tc := eveapi.TrustedCert{Hash: eveapi.ControllerCertHash(text)}
	block, _ := pem.Decode(text)
	if block == nil {
		return tc, false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return tc, false
	}
	switch key := cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		tc.ECDSA = key
	case *rsa.PublicKey:
		tc.RSA = key
	default:
		return tc, false
	}
	return tc, true
}
