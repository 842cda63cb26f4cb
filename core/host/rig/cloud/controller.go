package cloud

import (
	"crypto"
	"crypto/sha256"
	"testing"

	"github.com/lf-edge/eve-api/go/certs"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/eveapi"
)

// Controller is the other side: its certificates, which a test may replace, and what it says.
type Controller struct {
	t                testing.TB
	Root, Sign, ECDH *Authority
}

// New makes a controller whose certificates are signed by its root.
func New(t testing.TB) *Controller {
	t.Helper()
	root := Issue(t, nil, "root", true)
	return &Controller{t, root, Issue(t, root, "sign", false), Issue(t, root, "ecdh", false)}
}

// Certs are the certificates that it signs and agrees on keys with.
func (c *Controller) Certs() []*certs.ZCert {
	z := func(kind certs.ZCertType, a *Authority) *certs.ZCert {
		h := sha256.Sum256(a.PEM)
		return &certs.ZCert{HashAlgo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES,
			CertHash: h[:16], Type: kind, Cert: a.PEM}
	}
	return []*certs.ZCert{z(certs.ZCertType_CERT_TYPE_CONTROLLER_SIGNING, c.Sign),
		z(certs.ZCertType_CERT_TYPE_CONTROLLER_ECDH_EXCHANGE, c.ECDH)}
}

// List is the message with its certificates, as the endpoint certs has it; not sealed.
func (c *Controller) List() []byte {
	c.t.Helper()
	b, err := eveapi.Marshal(&certs.ZControllerCert{Certs: c.Certs()})
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// Seal wraps a payload into a signed envelope.
func (c *Controller) Seal(payload []byte) []byte {
	c.t.Helper()
	digest := eveapi.Digest(payload)
	der, err := c.Sign.Key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		c.t.Fatal(err)
	}
	rs, err := eveapi.RawSignature(der)
	if err != nil {
		c.t.Fatal(err)
	}
	h := eveapi.ControllerCertHash(c.Sign.PEM)
	return eveapi.Envelope{Payload: payload, CertHash: h[:], Signature: rs[:],
		Algo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES}.Bytes()
}
