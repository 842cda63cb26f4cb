package controllersim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/certs"
	"github.com/lf-edge/eve-api/go/evecommon"
)

// keyCert is a certificate with its key.
type keyCert struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
	hash [32]byte // eveapi.ControllerCertHash
}

// issuer makes certificates that depend on nothing but its seed and times.
type issuer struct {
	seed     []byte
	from, to time.Time
}

// issue makes a certificate for the key of a label, signed by by, or by itself.
func (i issuer) issue(label string, by *keyCert, tmpl x509.Certificate) (*keyCert, error) {
	key := DeriveKey(i.seed, label)
	sum := sha256.Sum256(append([]byte(label), i.seed...))
	tmpl.SerialNumber = new(big.Int).SetBytes(append([]byte{0x40}, sum[:15]...))
	tmpl.Subject = pkix.Name{Organization: []string{"evetwin"}, CommonName: label}
	if tmpl.NotAfter.IsZero() {
		tmpl.NotBefore, tmpl.NotAfter = i.from, i.to
	}
	tmpl.BasicConstraintsValid = true
	parent, signer := &tmpl, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	// Without a source of randomness the signature follows RFC 6979.
	der, err := x509.CreateCertificate(nil, &tmpl, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("make certificate %s: %w", label, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make certificate %s: %w", label, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &keyCert{key, cert, text, eveapi.ControllerCertHash(text)}, nil
}

// identity is what the controller is known by. The root, TLS and ECDH certificates stay, the
// signing certificate changes with each generation.
type identity struct {
	issuer
	generation      int
	root, tls, ecdh *keyCert
	onboard         *keyCert
	signing         *keyCert
	certList        []byte // ZControllerCert, serialized
	certsHash       string // changes with the certificates
}

func newIdentity(o Options) (*identity, error) {
	id := &identity{issuer: issuer{o.Seed, o.TimeBase, o.TimeBase.AddDate(130, 0, 0)}}
	var err error
	if id.root, err = id.issue("evetwin root", nil, x509.Certificate{
		IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}); err != nil {
		return nil, err
	}
	server := x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range append([]string{"localhost", "127.0.0.1", "::1"}, o.Hosts...) {
		if ip := net.ParseIP(h); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, h)
		}
	}
	if id.tls, err = id.issue("evetwin controller", id.root, server); err != nil {
		return nil, err
	}
	if id.ecdh, err = id.issue("evetwin ecdh", id.root, x509.Certificate{
		KeyUsage: x509.KeyUsageKeyAgreement,
	}); err != nil {
		return nil, err
	}
	if id.onboard, err = id.issue("evetwin onboarding", nil, x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return nil, err
	}
	return id.next(o.Generation)
}

// next is the identity of another generation, with another signing certificate.
func (i identity) next(generation int) (*identity, error) {
	i.generation = generation
	signing, err := i.issueSigning(fmt.Sprintf("evetwin signing %d", generation), x509.Certificate{})
	if err != nil {
		return nil, err
	}
	i.signing = signing
	return &i, i.makeList()
}

func (i identity) issueSigning(label string, tmpl x509.Certificate) (*keyCert, error) {
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	return i.issue(label, i.root, tmpl)
}

// makeList serializes the certificate list once for all answers.
func (i *identity) makeList() error {
	list, err := eveapi.Marshal(&certs.ZControllerCert{Certs: i.zcerts()})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(list)
	i.certList, i.certsHash = list, fmt.Sprintf("%x", sum[:8])
	return nil
}

func (i *identity) zcerts() []*certs.ZCert {
	return []*certs.ZCert{
		i.signing.zcert(certs.ZCertType_CERT_TYPE_CONTROLLER_SIGNING),
		i.ecdh.zcert(certs.ZCertType_CERT_TYPE_CONTROLLER_ECDH_EXCHANGE),
	}
}

// zcert lists a certificate by 16 bytes of its hash, as controllers in the field do.
func (k *keyCert) zcert(kind certs.ZCertType) *certs.ZCert {
	return &certs.ZCert{
		HashAlgo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES,
		CertHash: k.hash[:16], Type: kind, Cert: k.pem,
	}
}

// seal signs payload and names the certificate with n bytes of its hash, 16 or 32.
func (k *keyCert) seal(payload []byte, n int) ([]byte, error) {
	digest := eveapi.Digest(payload)
	der, err := k.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign %d bytes: %w", len(payload), err)
	}
	rs, err := eveapi.RawSignature(der)
	if err != nil {
		return nil, err
	}
	e := eveapi.Envelope{
		Payload: payload, CertHash: k.hash[:n], Signature: rs[:],
		Algo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES,
	}
	if n == 16 {
		e.Algo = evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES
	}
	return e.Bytes(), nil
}

// keyPEM is a key in the form of /config/onboard.key.pem.
func (k *keyCert) keyPEM() ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(k.key)
	if err != nil {
		return nil, fmt.Errorf("serialize key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// certificate is the form crypto/tls takes.
func (k *keyCert) certificate(chain ...*keyCert) tls.Certificate {
	c := tls.Certificate{
		Certificate: [][]byte{k.cert.Raw}, PrivateKey: k.key, Leaf: k.cert,
	}
	for _, p := range chain {
		c.Certificate = append(c.Certificate, p.cert.Raw)
	}
	return c
}
