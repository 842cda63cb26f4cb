package eveapi

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"time"

	"github.com/lf-edge/eve-api/go/certs"
)

// MaxCerts is how many certificates a controller may list.
const MaxCerts = 64

// CertOptions relax the validation of a certificate list.
type CertOptions struct {
	// NoECDH accepts a list without an ECDH certificate, as a bootstrap configuration carries.
	NoECDH bool
	// Checkpointed accepts leaves that are expired or not yet valid by now, because the list was
	// valid when it was stored: a device without a battery starts with a wrong clock. Replay of old
	// configurations is held off by their timestamps, not by this.
	Checkpointed bool
}

// ControllerCerts is a validated certificate list with its keys parsed. It is immutable.
type ControllerCerts struct {
	// Signing verifies the controller's envelopes.
	Signing TrustedCert
	// SigningPEM is the signing certificate as stored in the list.
	SigningPEM []byte
	// NotBefore and NotAfter bound the validity of the signing certificate.
	NotBefore, NotAfter time.Time
	// ECDH holds the certificates for object encryption, in the list's order.
	ECDH []ECDHCert
	// Body is the ZControllerCert as received, to be checkpointed.
	Body []byte
	// Fingerprint changes exactly when the set of certificates does, whatever their order.
	Fingerprint [32]byte
}

// ECDHCert is a controller certificate for the agreement on an object's key.
type ECDHCert struct {
	// Hash is the name that CipherContext.controllerCertHash refers to, as the list gives it.
	Hash []byte
	// PEM is the certificate as stored in the list.
	PEM []byte
	// Key is the public point.
	Key *ecdh.PublicKey
}

// Trusted is the signing certificate in the form Open takes.
func (c *ControllerCerts) Trusted() []TrustedCert { return []TrustedCert{c.Signing} }

// OpenControllerCerts opens the answer to GET certs. Who signs it is only known from inside it,
// so its list is validated first and then the envelope's signature against the signing
// certificate just validated. An envelope without any signature is accepted for the sake of the
// chain; one with a signature of somebody else is not. The error is a *Fault.
func OpenControllerCerts(envelope, rootsPEM []byte, now time.Time, opts CertOptions) (
	*ControllerCerts, error,
) {
	e, fault := ParseEnvelope(envelope)
	if fault != nil {
		return nil, fault
	}
	cc, err := ParseControllerCerts(e.Payload, rootsPEM, now, opts)
	if err != nil {
		return nil, err
	}
	if len(e.Signature) == 0 && len(e.CertHash) == 0 {
		return cc, nil
	}
	if _, fault := Open(envelope, cc.Trusted()); fault != nil {
		return nil, fault
	}
	return cc, nil
}

// ParseControllerCerts parses and validates a serialized ZControllerCert: exactly one signing
// certificate, at least one for ECDH, no unknown types, each leaf chained through the listed
// intermediates to one of rootsPEM and valid at now. The error is a *Fault: Malformed if body does
// not decode, which means a damaged file, and another code if what it says is refused.
func ParseControllerCerts(body, rootsPEM []byte, now time.Time, opts CertOptions) (
	*ControllerCerts, error,
) {
	list := &certs.ZControllerCert{}
	if err := Unmarshal(body, list); err != nil {
		return nil, err
	}
	cc, fault := validateCerts(list.GetCerts(), rootsPEM, now, opts)
	if fault != nil {
		return nil, fault
	}
	cc.Body = body
	return cc, nil
}

// chainTo holds what the leaves of a list are verified with.
type chainTo struct {
	roots, intermediates *x509.CertPool
	now                  time.Time
	opts                 CertOptions
}

func validateCerts(list []*certs.ZCert, rootsPEM []byte, now time.Time, opts CertOptions) (
	*ControllerCerts, *Fault,
) {
	if len(list) > MaxCerts {
		return nil, faultf(TooLarge, "list of %d certificates exceeds %d", len(list), MaxCerts)
	}
	chain := chainTo{x509.NewCertPool(), x509.NewCertPool(), now, opts}
	if !chain.roots.AppendCertsFromPEM(rootsPEM) {
		return nil, faultf(CertUnknownAuthority, "no usable root certificate in %d bytes", len(rootsPEM))
	}
	for i, c := range list {
		switch c.GetType() {
		case certs.ZCertType_CERT_TYPE_CONTROLLER_INTERMEDIATE:
			cert, fault := parsePEM(i, c)
			if fault != nil {
				return nil, fault
			}
			chain.intermediates.AddCert(cert)
		case certs.ZCertType_CERT_TYPE_CONTROLLER_SIGNING,
			certs.ZCertType_CERT_TYPE_CONTROLLER_ECDH_EXCHANGE:
		default:
			return nil, faultf(CertSet, "certificate %d has type %d, which a controller cannot have",
				i, c.GetType())
		}
	}
	cc := &ControllerCerts{Fingerprint: fingerprint(list)}
	signing := 0
	for i, c := range list {
		var fault *Fault
		switch c.GetType() {
		case certs.ZCertType_CERT_TYPE_CONTROLLER_SIGNING:
			signing++
			fault = cc.addSigning(i, c, chain)
		case certs.ZCertType_CERT_TYPE_CONTROLLER_ECDH_EXCHANGE:
			fault = cc.addECDH(i, c, chain)
		}
		if fault != nil {
			return nil, fault
		}
	}
	if signing != 1 {
		return nil, faultf(CertSet, "%d signing certificates, want exactly 1", signing)
	}
	if len(cc.ECDH) == 0 && !opts.NoECDH {
		return nil, faultf(CertSet, "no certificate for the ECDH exchange")
	}
	return cc, nil
}

func (c *ControllerCerts) addSigning(i int, z *certs.ZCert, chain chainTo) *Fault {
	cert, fault := chain.leaf(i, z)
	if fault != nil {
		return fault
	}
	c.Signing.Hash = ControllerCertHash(z.GetCert())
	c.SigningPEM = z.GetCert()
	c.NotBefore, c.NotAfter = cert.NotBefore, cert.NotAfter
	switch key := cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		c.Signing.ECDSA = key
	case *rsa.PublicKey:
		c.Signing.RSA = key
	default:
		return faultf(CertInvalid, "certificate %d signs with %T, want ECDSA or RSA", i, key)
	}
	return nil
}

func (c *ControllerCerts) addECDH(i int, z *certs.ZCert, chain chainTo) *Fault {
	cert, fault := chain.leaf(i, z)
	if fault != nil {
		return fault
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return faultf(CertInvalid, "certificate %d is for ECDH but has a key of %T", i, cert.PublicKey)
	}
	point, err := key.ECDH()
	if err != nil {
		return faultf(CertInvalid, "certificate %d is for ECDH but its key is not: %v", i, err)
	}
	c.ECDH = append(c.ECDH, ECDHCert{Hash: z.GetCertHash(), PEM: z.GetCert(), Key: point})
	return nil
}

// leaf parses a certificate and verifies its chain.
func (t chainTo) leaf(i int, z *certs.ZCert) (*x509.Certificate, *Fault) {
	cert, fault := parsePEM(i, z)
	if fault != nil {
		return nil, fault
	}
	at := t.now
	if t.opts.Checkpointed {
		// Any instant of the leaf's validity will do, the nearest to now first.
		if at.Before(cert.NotBefore) {
			at = cert.NotBefore
		} else if at.After(cert.NotAfter) {
			at = cert.NotAfter
		}
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: t.roots, Intermediates: t.intermediates, CurrentTime: at,
	})
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return cert, nil
	case errors.As(err, &unknown):
		return nil, faultf(CertUnknownAuthority, "certificate %d (%s): %v", i, cert.Subject, err)
	default:
		return nil, faultf(CertInvalid, "certificate %d (%s): %v", i, cert.Subject, err)
	}
}

func parsePEM(i int, z *certs.ZCert) (*x509.Certificate, *Fault) {
	block, _ := pem.Decode(z.GetCert())
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, faultf(CertInvalid, "certificate %d is not a certificate in PEM", i)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, faultf(CertInvalid, "certificate %d does not parse: %v", i, err)
	}
	return cert, nil
}

// fingerprint hashes the certificates in an order of their own, because some controllers list them
// in another order each time.
func fingerprint(list []*certs.ZCert) [32]byte {
	sums := make([][]byte, 0, len(list))
	for _, c := range list {
		h := sha256.Sum256(c.GetCert())
		sums = append(sums, append(h[:], byte(c.GetType())))
	}
	slices.SortFunc(sums, bytes.Compare)
	return sha256.Sum256(bytes.Join(sums, nil))
}
