package tpmmgr

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/topics/security"
)

// kindOf is the type under which the controller gets a key's certificate; false for the onboarding
// key, which is not the device's.
func kindOf(name string) (security.CertType, bool) {
	if name == tpm.Device {
		return security.CertOnboarding, true
	}
	return 0, false
}

// publishCerts publishes the certificates of the device's keys. Those of an earlier boot stay until
// the keys were looked for.
func (a *tpmmgr) publishCerts() {
	if !a.keys.Moved() {
		return
	}
	var ids []string
	for name, k := range a.keys.All() {
		kind, ok := kindOf(name)
		if !ok || k.CertPEM == "" {
			continue
		}
		sum := sha256.Sum256([]byte(k.CertPEM))
		id := hex.EncodeToString(sum[:16])
		ids = append(ids, id)
		a.certs.Put(security.EdgeNodeCert{CertID: id, CertType: kind, Cert: k.CertPEM, IsTpm: k.InTPM})
	}
	if !a.keys.Complete() {
		return
	}
	a.certs.Keep(func(id string) bool {
		for _, have := range ids {
			if have == id {
				return true
			}
		}
		return false
	})
	a.certs.Complete()
}
