package controllersim

import (
	"crypto/x509"
	"net/http"
	"time"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
)

// certs answers with the certificate list, to anybody.
func (x *exchange) certs() reply {
	if !x.trouble.has(FaultExpiredCert) {
		return x.signed(http.StatusOK, x.id.certList)
	}
	old := *x.id
	signing, err := old.issueSigning("evetwin expired", x509.Certificate{
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(366*86400, 0),
	})
	if err == nil {
		old.signing = signing
		err = old.makeList()
	}
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	x.id = &old
	return x.signed(http.StatusOK, old.certList)
}

// register lets a device in. The envelope is signed by the onboarding key, whose certificate it
// carries.
func (x *exchange) register() reply {
	sender, err := x.envelope.SenderPEM()
	if err != nil {
		return refuse(http.StatusUnauthorized, err.Error())
	}
	onboard, err := eveapi.ParseDeviceCert(sender)
	if err != nil {
		return refuse(http.StatusUnauthorized, err.Error())
	}
	if fault := x.envelope.CheckDeviceNaming(); fault != nil {
		return refuse(http.StatusUnauthorized, fault.Error())
	}
	if [32]byte(x.envelope.CertHash) != onboard.Hash {
		return refuse(http.StatusUnauthorized, "senderCertHash is not that of senderCert")
	}
	if _, fault := x.envelope.VerifyDeviceBy(x.c.verify, onboard.Key); fault != nil {
		return refuse(http.StatusUnauthorized, fault.Error())
	}
	if !x.c.fleet.OnboardAllowed(onboard.Hash) {
		return refuse(http.StatusForbidden, "onboarding certificate "+onboard.Name+" is not known")
	}
	r, err := eveapi.ParseRegister(x.envelope.Payload)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	cert, err := eveapi.ParseDeviceCert(r.CertPEM)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	device, outcome, err := x.c.fleet.Register(onboard.Hash, r, cert)
	switch outcome {
	case fleet.Created, fleet.Repeated:
	case fleet.Refused:
		return refuse(http.StatusForbidden, err.Error())
	default:
		return refuse(http.StatusConflict, err.Error())
	}
	code := http.StatusCreated
	if outcome == fleet.Repeated {
		code = http.StatusOK
	}
	x.device, x.trusted = device, true
	return reply{Response: Response{Code: code}}
}

// uuid tells a device who it is.
func (x *exchange) uuid() reply {
	if err := eveapi.ParseUUIDRequest(x.envelope.Payload); err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	payload, err := eveapi.UUIDResponseBody(x.device.Identity())
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	return x.signed(http.StatusOK, payload)
}
