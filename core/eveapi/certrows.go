package eveapi

import (
	"encoding/hex"

	"github.com/lf-edge/eve-api/go/certs"

	"github.com/evetwin/evetwin/core/topics/security"
)

// CertRows turns a serialized ZControllerCert, as ControllerCerts.Body or the checkpoint holds it,
// into rows, in the list's order. It validates nothing: see ParseControllerCerts.
func CertRows(body []byte) ([]security.ControllerCert, error) {
	list := &certs.ZControllerCert{}
	if err := Unmarshal(body, list); err != nil {
		return nil, err
	}
	if n := len(list.GetCerts()); n > MaxCerts {
		return nil, faultf(TooLarge, "list of %d certificates exceeds %d", n, MaxCerts)
	}
	var out []security.ControllerCert
	for i, c := range list.GetCerts() {
		if len(c.GetCertHash()) == 0 || len(c.GetCertHash()) > 64 {
			return nil, faultf(CertSet, "certificate %d has a hash of %d bytes", i, len(c.GetCertHash()))
		}
		out = append(out, security.ControllerCert{
			CertHash: hex.EncodeToString(c.GetCertHash()), Type: uint8(c.GetType()),
			HashAlgo: uint8(c.GetHashAlgo()), Cert: string(c.GetCert()),
		})
	}
	return out, nil
}
