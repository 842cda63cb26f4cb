package fleet

import (
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
)

// Logged is one request as it was answered.
type Logged struct {
	// At is when it came.
	At time.Time
	// ClientIP is where it came from, as the server saw it.
	ClientIP string
	// Method and Path are those of the request.
	Method, Path string
	// Code is the HTTP status it was answered with.
	Code int
	// Note says why it was refused, or what was odd about it.
	Note string
}

// LogRequest records a request about the device; authenticated tells whether the device sent it.
func (d *Device) LogRequest(e eveapi.Endpoint, l Logged, authenticated bool) {
	if d.counts == nil {
		d.counts = map[eveapi.Endpoint]int{}
	}
	d.counts[e]++
	if authenticated {
		d.lastSeen = l.At
	}
	if len(d.requests) >= d.fleet.opts.Requests {
		n := copy(d.requests, d.requests[1:])
		d.requests = d.requests[:n]
	}
	d.requests = append(d.requests, l)
}

// Requests are the last requests about the device, oldest first.
func (d *Device) Requests() []Logged {
	return append([]Logged(nil), d.requests...)
}

// Count is how many requests to an endpoint there were about the device since the controller
// started, however answered.
func (d *Device) Count(e eveapi.Endpoint) int {
	return d.counts[e]
}
