package exchange

import (
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// MaxBody is the limit of an answer's body where the request states none, in bytes.
const MaxBody = 16 << 20

// Request is an exchange as it leaves. What references stand for is in it: it is never shown.
type Request struct {
	Method string
	URL    *url.URL    // without user and password
	Header http.Header // nil if there is none
	Proxy  *url.URL    // nil: none
}

// New makes the request of an op's.
func New(k *secret.Keeper, via *device.Via, method, rawURL string, h []device.Header,
	l *device.Login,
) (*Request, *agent.Fault) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &agent.Fault{Code: device.FaultRefusedURL, Text: "no URL: " + rawURL}
	}
	r := &Request{Method: method, URL: u}
	if len(h) > 0 {
		r.Header = make(http.Header, len(h))
		for _, x := range h {
			r.Header.Add(x.Name, x.Value)
		}
	}
	auth, fault := authorization(k, l)
	if fault == nil {
		fault = login(k, u)
	}
	if fault != nil {
		return nil, fault
	}
	if u.User != nil && auth == "" {
		word, _ := u.User.Password()
		auth = basic(u.User.Username(), word)
	}
	u.User = nil
	if auth != "" {
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("Authorization", auth)
	}
	if via.Proxy != "" {
		p, err := url.Parse(via.Proxy)
		if err != nil || p.Host == "" {
			return nil, &agent.Fault{Code: device.FaultProxy, Retry: true,
				Text: "no proxy URL: " + via.Proxy}
		}
		if fault := login(k, p); fault != nil {
			return nil, fault
		}
		r.Proxy = p
	}
	return r, nil
}

// Headers are header lines in canonical form, sorted.
func Headers(h http.Header) []device.Header {
	out := make([]device.Header, 0, len(h))
	for name, vs := range h { //order: sorted below
		for _, v := range vs {
			out = append(out, device.Header{Name: name, Value: v})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Name != out[j].Name {
			return out[i].Name < out[j].Name
		}
		return out[i].Value < out[j].Value
	})
	return out
}

// Tag is what a server calls this state of a content: a strong ETag, else Last-Modified.
func Tag(h http.Header) string {
	if t := h.Get("ETag"); t != "" && !strings.HasPrefix(t, "W/") {
		return t
	}
	return h.Get("Last-Modified")
}

// NoAddress is the fault of a source address that is not on the interface.
func NoAddress(via *device.Via) *agent.Fault {
	return &agent.Fault{Code: device.FaultNoAddress, Retry: true,
		Text: via.IfName + " does not have the address " + via.Source.String()}
}

// TooLong is the fault of an answer to Send that is larger than allowed.
func TooLong(q *device.SendReq) *agent.Fault {
	return &agent.Fault{Code: device.FaultTooLarge, Text: q.URL + " answers with more than allowed"}
}

// TooLarge is the fault of a download that is larger than allowed.
func TooLarge(q *device.FetchReq) *agent.Fault {
	return &agent.Fault{Code: device.FaultTooLarge, Text: q.URL + " is larger than the " +
		strconv.FormatInt(q.MaxSize, 10) + " bytes allowed"}
}

// Status is the fault of a download that is answered with an error code.
func Status(q *device.FetchReq, code int) *agent.Fault {
	return &agent.Fault{Code: device.FaultStatus, Retry: true,
		Text: q.URL + " answers " + strconv.Itoa(code) + " " + http.StatusText(code)}
}

// NoTarget is the fault of a download whose partial cannot have its name.
func NoTarget(q *device.FetchReq) *agent.Fault {
	return &agent.Fault{Code: device.FaultRefusedURL,
		Text: "not the name of a download: " + q.Target}
}

// Stalled is the fault of a download of which no byte comes.
func Stalled(q *device.FetchReq) *agent.Fault {
	return &agent.Fault{Code: device.FaultStalled, Retry: true,
		Text: q.URL + ": no byte came for " + q.Stalled.String()}
}

// NoSpace is the fault of a download that the disk has no room for.
func NoSpace(q *device.FetchReq) *agent.Fault {
	return &agent.Fault{Code: device.FaultNoSpace, Retry: true,
		Text: "download " + q.URL + ": no space left on /persist"}
}
