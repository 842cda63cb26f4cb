// Package operator is the person in front of the device: what they ask for, and the answer they
// get. Its only caller is monitor.
package operator

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Kind is what is asked for, under EVE's name of the request.
type Kind string

// Kinds of requests.
const (
	SetInterface Kind = "SetInterfaceConfig" // an interface is to be configured by hand
	Revert       Kind = "RevertManualConfig" // what was configured by hand is to go
	SetServer    Kind = "SetServer"          // the device is to have another controller
)

// Ways of an interface to its address.
const (
	ModeDHCP   = "dhcp"
	ModeStatic = "static"
)

// Ways of an interface to the web. An empty one leaves the proxies as they are.
const (
	ProxyNone   = "none"
	ProxyManual = "manual"
	ProxyPAC    = "pac"
	ProxyWPAD   = "wpad"
)

// ProxyServer is one proxy, as the operator typed it.
type ProxyServer struct {
	Scheme string // http, https, socks, ftp
	Host   string
	Port   uint16
}

// Proxy is how an interface reaches the web.
type Proxy struct {
	Mode       string
	Servers    []ProxyServer // of ProxyManual
	Exceptions []string      // of ProxyManual: names that need no proxy
}

// Interface is how one interface is to be, as the operator typed it: nothing in it was checked.
type Interface struct {
	Name string // of the interface in the kernel, or the label of the port
	Mode string // ModeDHCP, ModeStatic
	// Of ModeStatic: the address; its subnet as "192.0.2.0/24" or as a mask, or as the length behind
	// the address; the gateway, empty for none.
	Address    string
	Subnet     string
	Gateway    string
	DNSServers []string
	NTP        []string // addresses or names; none: those of DHCP
	Domain     string
	Proxy      Proxy
}

// RequestSeen is a request that waits for its answer; the answer removes it.
type RequestSeen struct {
	// ID grows with each request of a boot; they sort in the order in which they came.
	ID        string
	Kind      Kind
	Interface *Interface // of SetInterface
	Server    string     // of SetServer: "host" or "host:port"
}

// Key is the ID.
func (r RequestSeen) Key() string { return r.ID }

// MaxRequests bounds the requests that wait; more are refused before anybody sees them.
const MaxRequests = 16

// Requests is the topic of what is asked for.
var Requests = bus.NewTopic[RequestSeen](bus.Decl{Owner: "operator", Name: "RequestSeen",
	MaxRows: MaxRequests})

// FieldError is what is wrong with one field of a request.
type FieldError struct {
	Field string // "ip.gateway"
	Text  string
}

// AnswerReq is the end of a request: it was carried out, or the reason why not.
type AnswerReq struct {
	ID     string
	OK     bool
	Text   string
	Fields []FieldError
}

// None is an empty result.
type None struct{}

// Answer tells the operator how a request ended. One that nobody waits for is a success, too.
var Answer = agent.NewOp[AnswerReq, None](agent.OpDecl{Name: "operator.Answer",
	Width: MaxRequests, Limit: 5 * time.Second})
