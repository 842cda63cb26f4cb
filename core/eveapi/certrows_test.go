package eveapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/lf-edge/eve-api/go/certs"

	"github.com/evetwin/evetwin/core/eveapi"
)

func TestCertRowsKeepTheBytesThatEnvelopesHash(t *testing.T) {
	p := newPKI(t)
	rows, err := eveapi.CertRows(body(t, p.list()))
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	h := sha256.Sum256(p.sign.pem)
	if r := rows[0]; r.Cert != string(p.sign.pem) || r.Type != 1 ||
		r.CertHash != hex.EncodeToString(h[:16]) {
		t.Fatalf("%+v", r)
	}
	if _, err := eveapi.CertRows(body(t, []*certs.ZCert{{Cert: p.sign.pem}})); err == nil {
		t.Fatal("took a certificate without a hash")
	}
}
