package eveapi_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/certs"
	"github.com/lf-edge/eve-api/go/evecommon"
	"google.golang.org/protobuf/proto"
)

// noon is the time the tests are at.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// authority is a certificate with its key, able to issue others.
type authority struct {
	key  crypto.Signer
	cert *x509.Certificate
	pem  []byte
}

// key derives a P-256 key from a name, so that every run has the same keys.
func key(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	d := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issue(t testing.TB, by *authority, name string, k crypto.Signer, ca bool,
	from, to time.Time,
) *authority {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name},
		NotBefore: from, NotAfter: to, IsCA: ca, BasicConstraintsValid: true,
	}
	if ca {
		tmpl.KeyUsage = x509.KeyUsageCertSign
	}
	parent, signer := tmpl, k
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(nil, tmpl, parent, k.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{k, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// pki is a controller's certificates: root, intermediate, signing, ECDH.
type pki struct{ root, inter, sign, ecdh *authority }

func newPKI(t testing.TB) *pki {
	t.Helper()
	from, to := noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0)
	p := &pki{}
	p.root = issue(t, nil, "root", key(t, "root"), true, from, to)
	p.inter = issue(t, p.root, "inter", key(t, "inter"), true, from, to)
	p.sign = issue(t, p.inter, "sign", key(t, "sign"), false, from, to)
	p.ecdh = issue(t, p.inter, "ecdh", key(t, "ecdh"), false, from, to)
	return p
}

func zcert(kind certs.ZCertType, text []byte) *certs.ZCert {
	h := sha256.Sum256(text)
	return &certs.ZCert{
		HashAlgo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES,
		CertHash: h[:16], Type: kind, Cert: text,
	}
}

const (
	signing      = certs.ZCertType_CERT_TYPE_CONTROLLER_SIGNING
	intermediate = certs.ZCertType_CERT_TYPE_CONTROLLER_INTERMEDIATE
	exchange     = certs.ZCertType_CERT_TYPE_CONTROLLER_ECDH_EXCHANGE
)

func (p *pki) list() []*certs.ZCert {
	return []*certs.ZCert{
		zcert(signing, p.sign.pem), zcert(intermediate, p.inter.pem), zcert(exchange, p.ecdh.pem),
	}
}

func body(t testing.TB, list []*certs.ZCert) []byte {
	t.Helper()
	b, err := eveapi.Marshal(&certs.ZControllerCert{Certs: list})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign makes a controller's envelope around payload by a, naming it with n bytes of hash.
func (a *authority) seal(t testing.TB, payload []byte, n int) []byte {
	t.Helper()
	h := eveapi.ControllerCertHash(a.pem)
	e := eveapi.Envelope{
		Payload: payload, CertHash: h[:n],
		Algo:      evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES,
		Signature: a.raw(t, payload),
	}
	if n == 16 {
		e.Algo = evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES
	}
	return e.Bytes()
}

func (a *authority) raw(t testing.TB, payload []byte) []byte {
	t.Helper()
	digest := eveapi.Digest(payload)
	der, err := a.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := a.key.(*rsa.PrivateKey); ok {
		return der
	}
	rs, err := eveapi.RawSignature(der)
	if err != nil {
		t.Fatal(err)
	}
	return rs[:]
}

func parse(t testing.TB, p *pki) *eveapi.ControllerCerts {
	t.Helper()
	cc, err := eveapi.ParseControllerCerts(body(t, p.list()), p.root.pem, noon, eveapi.CertOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return cc
}

func clone(list []*certs.ZCert) []*certs.ZCert {
	out := make([]*certs.ZCert, len(list))
	for i, c := range list {
		out[i] = proto.CloneOf(c)
	}
	return out
}
