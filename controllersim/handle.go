package controllersim

import (
	"crypto/x509"
	"net/http"
	"time"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
)

// exchange is one request on its way through the controller.
type exchange struct {
	c     *Controller
	id    *identity
	now   time.Time
	req   Request
	route eveapi.Route

	envelope eveapi.Envelope
	fault    *eveapi.Fault // why the body is no envelope
	device   *fleet.Device // whose certificate the envelope names, nil if unknown
	trusted  bool          // the envelope's signature was verified
	trouble  trouble
}

// Handle answers one request. now is the controller's wall clock. It keeps parts of the request's
// body, and does no I/O.
func (c *Controller) Handle(now time.Time, req Request) Response {
	route, ok := eveapi.ParsePath(req.Path)
	if !ok {
		return Response{Code: http.StatusNotFound}
	}
	x := &exchange{c: c, id: c.id, now: now, req: req, route: route}
	if req.Method == http.MethodPost {
		x.identify()
	}
	about := x.device
	if about == nil && route.Device != "" {
		about, _ = c.fleet.Device(route.Device)
	}
	uuid := route.Device
	if about != nil {
		uuid = about.UUID()
	}
	if !req.Late {
		x.trouble = c.troubleFor(route.Endpoint, uuid)
	}
	if x.trouble.has(FaultUnread) {
		return Response{Code: http.StatusBadRequest, Broken: true}
	}
	if f, ok := x.trouble[FaultLate]; ok {
		return Response{Code: http.StatusBadRequest, Broken: true, Again: f.Delay}
	}
	if x.trouble.has(FaultTwice) {
		x.log(about, x.answer())
	}
	r := x.trouble.shape(c.repeated(x.trouble, req.Path, x.answer()))
	x.log(about, r)
	return r.Response
}

// log notes the request with the device it is about, or that it made known.
func (x *exchange) log(about *fleet.Device, r reply) {
	if about == nil {
		about = x.device
	}
	if about != nil {
		about.LogRequest(x.route.Endpoint, fleet.Logged{
			At: x.now, ClientIP: x.req.ClientIP, Method: x.req.Method, Path: x.req.Path, Code: r.Code,
			Note: r.note,
		}, x.trusted)
	}
}

// identify opens the envelope and looks its sender up, without believing it yet.
func (x *exchange) identify() {
	x.envelope, x.fault = eveapi.ParseEnvelope(x.req.Body)
	if x.fault == nil && len(x.envelope.CertHash) == 32 {
		x.device, _ = x.c.fleet.ByCert([32]byte(x.envelope.CertHash))
	}
}

func (x *exchange) answer() reply {
	if f, ok := x.trouble[FaultStatus]; ok {
		return refuse(f.Status, "fault "+f.Name)
	}
	if want := x.route.Endpoint.Method(); x.req.Method != want {
		r := refuse(http.StatusMethodNotAllowed, "method is not "+want)
		r.Header = http.Header{"Allow": {want}}
		return r
	}
	switch x.route.Endpoint {
	case eveapi.Ping:
		return reply{Response: Response{Code: http.StatusOK}}
	case eveapi.Certs:
		return x.certs()
	}
	if !eveapi.IsProto(x.req.Header.Get(eveapi.HeaderContentType)) {
		return refuse(http.StatusUnsupportedMediaType, "content type is not "+eveapi.ContentType)
	}
	if x.fault != nil {
		return refuse(http.StatusBadRequest, x.fault.Error())
	}
	if x.route.Endpoint == eveapi.Register {
		return x.register()
	}
	if r, ok := x.authenticate(); !ok {
		return r
	}
	switch x.route.Endpoint {
	case eveapi.UUID:
		return x.uuid()
	case eveapi.Config:
		return x.config()
	case eveapi.Attest:
		return x.attest()
	case eveapi.CompoundConfig, eveapi.SCEP:
		return refuse(http.StatusNotFound, "not served by this controller")
	}
	return x.report()
}

// authenticate verifies the sender's signature and that the path is the sender's own.
func (x *exchange) authenticate() (reply, bool) {
	if fault := x.envelope.CheckDeviceNaming(); fault != nil {
		return refuse(http.StatusBadRequest, fault.Error()), false
	}
	if x.device == nil {
		return refuse(http.StatusBadRequest, "no device has this certificate"), false
	}
	cert, _ := x.device.Cert()
	if _, fault := x.envelope.VerifyDeviceBy(x.c.verify, cert.Key); fault != nil {
		return refuse(http.StatusUnauthorized, fault.Error()), false
	}
	x.trusted = true
	if x.route.Device == "" || x.route.Device == x.device.UUID() {
		return reply{}, true
	}
	if _, known := x.c.fleet.Device(x.route.Device); known {
		return refuse(http.StatusForbidden, "the path is another device's"), false
	}
	// The device goes by a UUID that it no longer has: 400 makes it ask for its new one.
	return refuse(http.StatusBadRequest, "no device has the UUID of the path"), false
}

// signed is an answer with a payload in an envelope.
func (x *exchange) signed(code int, payload []byte) reply {
	signer, size := x.id.signing, 32
	if f, ok := x.trouble[FaultOversized]; ok {
		payload = oversize(payload, f.Bytes)
	}
	if x.trouble.has(FaultHash16) {
		size = 16
	}
	if x.trouble.has(FaultWrongSigner) || x.trouble.has(FaultBadSignature) {
		stranger, err := x.id.issueSigning("evetwin stranger", x509.Certificate{})
		if err != nil {
			return refuse(http.StatusInternalServerError, err.Error())
		}
		if x.trouble.has(FaultBadSignature) {
			stranger.hash = signer.hash
		}
		signer = stranger
	}
	body, err := signer.seal(payload, size)
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	if x.trouble.has(FaultCorrupt) {
		corrupt(body)
	}
	return reply{Response: Response{Code: code, Header: protoHeader(), Body: body}}
}
