// Package web speaks HTTP through a chosen port of the device: small exchanges with the controller
// and registries, and downloads into partial files. Any agent may Send; only downloader may Fetch.
package web

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/security"
)

// Header is one header line.
type Header struct{ Name, Value string }

// Via says how a request leaves the device.
type Via struct {
	IfName  string       // interface
	Source  netip.Addr   // source address; it selects the route
	DNS     []netip.Addr // servers to ask, through this interface
	Proxy   string       // URL of an explicit proxy, or empty; a user in it may be a reference
	RootPEM []string     // further trusted roots: proxy CAs of the port, datastore CAs
}

// TLS policies.
const (
	TLSController = "controller" // system roots, /config/root-certificate.pem and Via.RootPEM
	TLSWeb        = "web"        // system roots and Via.RootPEM
)

// What an answer may hold that no agent may see.
const (
	// KeepConfig: a configuration in an envelope. The body of a 2xx comes as secret.Keeper.Answer
	// leaves it, that of any other answer not at all.
	KeepConfig = "config"
	// KeepToken: a token. The body of a 200 comes as secret.Keeper.Token leaves it, that of any other
	// answer not at all.
	KeepToken = "token"
)

// How credentials become the header Authorization.
const (
	// AuthBasic is user and password, in base64.
	AuthBasic = ""
	// AuthBearer is a token.
	AuthBearer = "bearer"
	// AuthScheme is User, a space, Secret: the datastore's key names the scheme.
	AuthScheme = "scheme"
)

// Login are credentials by reference; the part finds what they stand for. A URL, of the target or
// of a proxy, may have one reference in the place of user and password instead.
type Login struct {
	Auth   string
	User   string // reference, empty for none
	Secret string // reference; empty with an empty User: no credentials
}

// SendReq is one exchange. The same request under the same key is one exchange: a caller that
// wants to send again uses Redo.
type SendReq struct {
	Via     Via
	Method  string
	URL     string
	Header  []Header
	Body    []byte
	TLS     string        // policy for https
	Dial    time.Duration // limit for connecting; 0: 10 s
	Timeout time.Duration // limit for all; 0: 2 min
	MaxBody int64         // more answers FaultTooLarge; 0: 16 MiB
	Login   Login         // credentials for Authorization
	Keep    string        // KeepConfig or KeepToken; empty: the answer holds no secrets
}

// SendRes is an answer, whatever its status code.
type SendRes struct {
	Code    int
	Header  []Header // in canonical form, sorted
	Body    []byte
	WithTLS bool
	Took    time.Duration
	// Kept is what is known of the body as it came, nil unless SendReq.Keep is set and there was one.
	Kept *security.Kept
}

// Received is the size of the body as it came, in bytes.
func (r *SendRes) Received() int {
	if r.Kept != nil {
		return int(r.Kept.Size)
	}
	return len(r.Body)
}

// Get is the value of a header, empty if there is none.
func (r *SendRes) Get(name string) string {
	for _, h := range r.Header {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// Send makes one exchange.
var Send = agent.NewOp[SendReq, SendRes](agent.OpDecl{
	Name: "web.Send", Width: 8, Limit: 5 * time.Minute, Query: true})

// FetchReq downloads into a partial file, from where it stands: with a Range request if the server
// takes them and the content has not changed, else from the start.
type FetchReq struct {
	Via     Via
	URL     string
	Header  []Header
	TLS     string
	Login   Login
	Target  string        // name of the partial; no "/"
	MaxSize int64         // 0: no limit
	Stalled time.Duration // give up when no byte came for so long
}

// FetchRes tells the size of the whole file, and the type the server gave it.
type FetchRes struct {
	Size        int64
	ContentType string
}

// Fetch downloads. Progress shows in PartialSeen, at most once a second.
var Fetch = agent.NewOp[FetchReq, FetchRes](agent.OpDecl{
	Name: "web.Fetch", Class: "web.bulk", Width: 4, Limit: 24 * time.Hour})

// PartialSeen is a partial or whole download on the disk. It survives reboots: after one, what was
// durable is here again.
type PartialSeen struct {
	Target string
	Have   int64
	Size   int64 // of the whole, 0 while unknown
	Whole  bool
}

// Key is the target.
func (p PartialSeen) Key() string { return p.Target }

// Partials is the topic of downloads; complete when the download directory was read.
var Partials = bus.NewTopic[PartialSeen](bus.Decl{Owner: "web", Name: "PartialSeen"})

// TargetReq names a partial.
type TargetReq struct{ Target string }

// None is an empty result.
type None struct{}

// RemovePartial deletes a partial; its caller is downloader.
var RemovePartial = agent.NewOp[TargetReq, None](agent.OpDecl{
	Name: "web.RemovePartial", Class: "web.files", Limit: time.Minute})

// Fault codes. Every one but FaultTooLarge and FaultRefusedURL sets Retry.
const (
	FaultNoAddress   = "no-address"   // the source address is not on the interface
	FaultNoDNS       = "no-dns"       // no server to ask, or none answers
	FaultNotFound    = "name"         // the name does not exist
	FaultTimeout     = "timeout"      // no answer in time
	FaultUnreachable = "unreachable"  // no route, or told so by a router
	FaultConnRefused = "refused"      // connection refused
	FaultProxy       = "proxy"        // the proxy refused or asks for a login
	FaultCertInvalid = "cert-invalid" // expired, not yet valid, wrong name
	FaultCertUnknown = "cert-unknown" // signed by an authority that is not trusted
	FaultReset       = "reset"        // the connection broke
	FaultTooLarge    = "too-large"    // the answer is larger than allowed
	FaultRefusedURL  = "url"          // the URL, or the name of the partial, makes no sense
	FaultStatus      = "status"       // Fetch: the server answered with an error code; Text has it
	FaultNoSpace     = "no-space"     // Fetch: the disk is full
	FaultDisk        = "disk"         // Fetch: the disk does not take it, or is not open yet
	FaultSecret      = "secret"       // nobody knows what a reference of credentials stands for
	FaultStalled     = "stalled"      // Fetch: no byte for the time given
)
