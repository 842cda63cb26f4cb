package controllersim

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
)

// FaultKind is a way in which the controller misbehaves.
type FaultKind string

// The kinds of faults.
const (
	// FaultStatus answers Status without doing what was asked.
	FaultStatus FaultKind = "status"
	// FaultDelay holds the answer back for Delay.
	FaultDelay FaultKind = "delay"
	// FaultContentType states ContentType in answers with a body, none if it is empty.
	FaultContentType FaultKind = "content-type"
	// FaultWrongSigner signs with a certificate that is not in the list: CertMiss.
	FaultWrongSigner FaultKind = "wrong-signer"
	// FaultBadSignature names the right certificate but signs with another key: SignVerifyFail.
	FaultBadSignature FaultKind = "bad-signature"
	// FaultCorrupt flips a bit in the payload after signing.
	FaultCorrupt FaultKind = "corrupt"
	// FaultTruncate cuts the body in half.
	FaultTruncate FaultKind = "truncate"
	// FaultEmpty leaves the body out.
	FaultEmpty FaultKind = "empty"
	// FaultNotModified answers config with 304 whatever the device has.
	FaultNotModified FaultKind = "always-304"
	// FaultOversized adds Bytes bytes to the payload before signing, in a field nobody knows.
	FaultOversized FaultKind = "oversized"
	// FaultHash16 names the signing certificate by 16 bytes, which devices must accept.
	FaultHash16 FaultKind = "hash-16"
	// FaultExpiredCert lists, at certs, a signing certificate that expired in 1971.
	FaultExpiredCert FaultKind = "expired-cert"
	// FaultUnread ends the connection before the request is read.
	FaultUnread FaultKind = "unread"
	// FaultClose does what was asked and ends the connection half way through the answer.
	FaultClose FaultKind = "close"
	// FaultTwice handles a request twice, as behind a proxy that tries again; the second answer
	// counts.
	FaultTwice FaultKind = "twice"
	// FaultRepeat does what was asked and answers what it answered at the same path before, since the
	// fault was set.
	FaultRepeat FaultKind = "repeat"
	// FaultLate has every other request reach the controller Delay late, behind those that were sent
	// after it: the connection ends at once, as one whose proxy has taken the request and passes it on
	// later.
	FaultLate FaultKind = "late"
	// FaultAgain answers a request, which then comes in once more Delay later.
	FaultAgain FaultKind = "again"
)

// Fault is one way of misbehaving, for all or for some requests.
type Fault struct {
	// Name identifies the fault, to clear it. Setting a name again replaces the fault.
	Name string `json:"name"`
	// Kind is what happens.
	Kind FaultKind `json:"kind"`
	// Device is the UUID of the device it is for, "" for all.
	Device string `json:"device,omitempty"`
	// Endpoint is what it is for, "" for all.
	Endpoint eveapi.Endpoint `json:"endpoint,omitempty"`
	// Count is for how many requests it holds, 0 until it is cleared.
	Count int `json:"count,omitempty"`
	// Status is the code of FaultStatus.
	Status int `json:"status,omitempty"`
	// Delay is that of FaultDelay, FaultLate and FaultAgain, in nanoseconds in JSON.
	Delay time.Duration `json:"delay,omitempty"`
	// ContentType is that of FaultContentType.
	ContentType string `json:"contentType,omitempty"`
	// Bytes is how much FaultOversized adds.
	Bytes int `json:"bytes,omitempty"`
}

// maxOversized bounds what FaultOversized adds.
const maxOversized = 64 << 20

type armed struct {
	Fault
	left int
	pass bool // the next request is not held back
}

func (f Fault) check() error {
	switch f.Kind {
	case FaultStatus:
		if f.Status < 200 || f.Status > 599 {
			return fmt.Errorf("fault %s: status %d, want 200 to 599", f.Name, f.Status)
		}
	case FaultOversized:
		if f.Bytes < 0 || f.Bytes > maxOversized {
			return fmt.Errorf("fault %s: %d bytes, want 0 to %d", f.Name, f.Bytes, maxOversized)
		}
	case FaultDelay:
		if f.Delay < 0 {
			return fmt.Errorf("fault %s: negative delay %s", f.Name, f.Delay)
		}
	case FaultLate, FaultAgain:
		if f.Delay <= 0 || f.Delay > eveapi.LateBy {
			return fmt.Errorf("fault %s: delay %s, want more than 0 and at most %s", f.Name, f.Delay,
				eveapi.LateBy)
		}
	case FaultContentType, FaultWrongSigner, FaultBadSignature, FaultCorrupt, FaultTruncate,
		FaultEmpty, FaultNotModified, FaultHash16, FaultExpiredCert, FaultUnread, FaultClose,
		FaultTwice, FaultRepeat:
	default:
		return fmt.Errorf("fault %s: unknown kind %q", f.Name, f.Kind)
	}
	if f.Endpoint != "" && f.Endpoint.Method() == "" {
		return fmt.Errorf("fault %s: unknown endpoint %q", f.Name, f.Endpoint)
	}
	if f.Count < 0 {
		return fmt.Errorf("fault %s: negative count %d", f.Name, f.Count)
	}
	return nil
}

// SetFault makes the controller misbehave from the next request on. Several faults of different
// kinds join; of one kind the first that fits counts.
func (c *Controller) SetFault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	next := &armed{Fault: f, left: f.Count}
	delete(c.before, f.Name)
	for i, old := range c.faults {
		if old.Name == f.Name {
			c.faults[i] = next
			return nil
		}
	}
	c.faults = append(c.faults, next)
	return nil
}

// ClearFault ends the fault of this name, and tells whether there was one.
func (c *Controller) ClearFault(name string) bool {
	before := len(c.faults)
	delete(c.before, name)
	c.faults = slices.DeleteFunc(c.faults, func(a *armed) bool { return a.Name == name })
	return len(c.faults) < before
}

// ClearFaults ends all faults.
func (c *Controller) ClearFaults() {
	c.faults, c.before = nil, nil
}

// Faults are the faults that hold, in the order they were set; Count is how many requests are left.
func (c *Controller) Faults() []Fault {
	out := make([]Fault, 0, len(c.faults))
	for _, a := range c.faults {
		f := a.Fault
		f.Count = a.left
		out = append(out, f)
	}
	return out
}

// trouble is what the faults that fit one request come to.
type trouble map[FaultKind]Fault

// troubleFor takes the faults for a request, counting them down. It is nil without any.
func (c *Controller) troubleFor(e eveapi.Endpoint, device string) trouble {
	if len(c.faults) == 0 {
		return nil
	}
	var t trouble
	c.faults = slices.DeleteFunc(c.faults, func(a *armed) bool {
		if a.Endpoint != "" && a.Endpoint != e || a.Device != "" && a.Device != device {
			return false
		}
		if _, taken := t[a.Kind]; taken {
			return false
		}
		if a.Kind == FaultLate {
			if a.pass = !a.pass; !a.pass {
				return false
			}
		}
		if t == nil {
			t = trouble{}
		}
		t[a.Kind] = a.Fault
		if a.Count == 0 {
			return false
		}
		a.left--
		return a.left == 0
	})
	return t
}

func (t trouble) has(k FaultKind) bool {
	_, ok := t[k]
	return ok
}

// shape applies the faults that concern a finished answer.
func (t trouble) shape(r reply) reply {
	if t == nil {
		return r
	}
	if f, ok := t[FaultDelay]; ok {
		r.Delay = f.Delay
	}
	r.Broken = t.has(FaultClose)
	r.Again = t[FaultAgain].Delay
	if len(r.Body) == 0 {
		return r
	}
	if t.has(FaultTruncate) {
		r.Body = r.Body[:len(r.Body)/2]
	}
	if t.has(FaultEmpty) {
		r.Body = nil
	}
	if f, ok := t[FaultContentType]; ok {
		r.Header = http.Header{}
		if f.ContentType != "" {
			r.Header.Set(eveapi.HeaderContentType, f.ContentType)
		}
	}
	return r
}

// repeated is the answer that was given at the same path before, or the new one, which is kept for
// the next time.
func (c *Controller) repeated(t trouble, path string, r reply) reply {
	f, ok := t[FaultRepeat]
	if !ok || r.Code >= http.StatusBadRequest { // nobody says yes to what was not done
		return r
	}
	if old, had := c.before[f.Name][path]; had {
		return old
	}
	if c.before == nil {
		c.before = map[string]map[string]reply{}
	}
	if c.before[f.Name] == nil {
		c.before[f.Name] = map[string]reply{}
	}
	if len(c.before[f.Name]) < maxRepeated {
		c.before[f.Name][path] = r
	}
	return r
}

// maxRepeated bounds how many answers FaultRepeat keeps.
const maxRepeated = 4096
