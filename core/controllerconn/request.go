package controllerconn

import (
	"bytes"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/security"
)

// Request is one exchange with the controller. Equal requests are one exchange.
type Request struct {
	// Endpoint is what is asked for; it decides on GET or POST. The exchange waits, queued, until the
	// controller's name is known, and the device's UUID where the path needs it.
	Endpoint eveapi.Endpoint
	// URL replaces the address that follows from Endpoint; empty for the controller's.
	URL string
	// App is the application's UUID, for the endpoints that have one in their path.
	App string
	// Payload is the serialized message of a POST; it is signed and wrapped here.
	Payload []byte
	// SenderPEM is the onboarding certificate's file, for register: it travels along, and the
	// onboarding key signs. Nil else.
	SenderPEM []byte
	// Verify opens the answer's envelope with the controller's certificates in force: Result.Payload
	// is then what is inside, and an answer that does not verify fails the exchange. An answer
	// without a body verifies.
	Verify bool
	// Bail ends the exchange with the first answer, even if it is an error (4xx, 5xx). Without it such
	// an answer makes the next port be tried, and only 403 ends the exchange.
	Bail bool
	// Serial and SoftSerial go into the headers of a device that has no UUID yet.
	Serial, SoftSerial string
	// Timeout bounds one attempt on one port; 0: the item timer.send.timeout.
	Timeout time.Duration
}

func (r *Request) equal(o *Request) bool {
	return r.Endpoint == o.Endpoint && r.URL == o.URL && r.App == o.App && r.Verify == o.Verify &&
		r.Bail == o.Bail && r.Serial == o.Serial && r.SoftSerial == o.SoftSerial &&
		r.Timeout == o.Timeout && bytes.Equal(r.Payload, o.Payload) &&
		bytes.Equal(r.SenderPEM, o.SenderPEM)
}

// SenderStatus classes why an exchange did not go well, as LED, retries and the fetch of
// certificates depend on it.
type SenderStatus uint8

// Classes, with EVE's names. Of several attempts the last one that is not StatusNone counts.
const (
	// StatusNone: nothing to say; the exchange went well, or failed on the way.
	StatusNone SenderStatus = iota
	// StatusRefused: the controller's host refuses connections, and no proxy stands between.
	StatusRefused
	// StatusUpgrade: 503, the controller is being upgraded or has too much to do.
	StatusUpgrade
	// StatusCertInvalid: the controller's TLS certificate is expired, not yet valid, or for another.
	StatusCertInvalid
	// StatusCertMiss: the answer was signed with a certificate that is not in force here.
	StatusCertMiss
	// StatusSignVerifyFail: the answer's signature is wrong.
	StatusSignVerifyFail
	// StatusAlgoFail: the answer's hash algorithm is unknown.
	StatusAlgoFail
	// StatusHashSizeError: the answer names its certificate with a hash of a wrong size.
	StatusHashSizeError
	// StatusMalformed: the answer is no envelope.
	StatusMalformed
	// StatusCertUnknownAuthority: the TLS certificate is of an authority that is not trusted.
	StatusCertUnknownAuthority
	// StatusCertUnknownAuthorityProxy: as before, through a proxy.
	StatusCertUnknownAuthorityProxy
	// StatusNotFound: 404 or 400, the controller does not know the device.
	StatusNotFound
	// StatusForbidden: 403, not allowed or not attested.
	StatusForbidden
	// StatusNoTLS: the answer came without TLS (LED 12).
	StatusNoTLS
	// StatusFailed: no way to the controller.
	StatusFailed
)

var statusNames = [...]string{"none", "refused", "upgrade", "certificate invalid",
	"certificate miss", "signature invalid", "hash algorithm unknown", "hash size wrong",
	"malformed", "unknown authority", "unknown authority behind proxy", "not found", "forbidden",
	"no TLS", "failed"}

// String is the class in words.
func (s SenderStatus) String() string { return statusNames[min(int(s), len(statusNames)-1)] }

// BadEnvelope reports whether an answer came and its envelope was refused (LED 15).
func (s SenderStatus) BadEnvelope() bool { return s >= StatusCertMiss && s <= StatusMalformed }

// Attempt is one try on one port.
type Attempt struct {
	IfName string
	Source string // source address, empty if the port was refused before one was chosen
	Proxy  string // URL of the proxy it went through
	Code   int    // HTTP status, 0 without an answer
	Error  string // empty if it ended the exchange well
	Class  SenderStatus
	// NotReady: the port lacks what it takes, an address or a DNS server.
	NotReady bool
	// Sent and Recv are bytes of the bodies; Took is how long it took. Zero if nothing was sent.
	Sent, Recv int
	Took       time.Duration
}

// Result is how far an exchange is and what came of it.
type Result struct {
	// Phase is None without an exchange, Queued while it waits for what it needs, Done when an answer
	// ended it (2xx, 304, 403; with Bail any), Failed when all attempts did or the answer does not
	// verify.
	Phase agent.Phase
	// Code is the status of the answer that ended the exchange, 0 without one.
	Code int
	// ContentType is the answer's, as given.
	ContentType string
	// Payload is the answer's body or, with Request.Verify, what its envelope holds. It lives until
	// Redo, Drop or another request.
	Payload []byte
	// Kept is what is known of an answer to eveapi.Config as it was received: a checkpoint names it by
	// its hash. Payload has references in the place of secrets then. Nil for other endpoints.
	Kept *security.Kept
	// Status classes what went wrong.
	Status SenderStatus
	// LastCode is the last HTTP status seen on any port, 0 if there was none.
	LastCode int
	// Attempts lists what was tried, in order; it must not be changed.
	Attempts []Attempt
	// Took is how long it took; Ended is when it was over, since boot.
	Took, Ended time.Duration
	// Iteration counts the exchanges under this key since the agent started, from 1.
	Iteration int

	text string
}

// Over reports whether it is done or failed.
func (r *Result) Over() bool { return r.Phase >= agent.Done }

// OK reports whether the controller accepted: a 2xx or 304.
func (r *Result) OK() bool { return r.Phase == agent.Done && accepted(r.Code) }

func accepted(code int) bool { return code >= 200 && code < 300 || code == 304 }

// Error is what went wrong, for people; empty if nothing did.
func (r *Result) Error() string {
	if r.text == "" && r.Phase == agent.Done && !r.OK() {
		return "controller answered " + codeText(r.Code)
	}
	return r.text
}
