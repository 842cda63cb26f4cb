package eveapi_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/certs"
)

func TestAPI6_CertListRules(t *testing.T) {
	p := newPKI(t)
	good := p.list()
	noECDH := clone(good[:2])
	zero := clone(good[1:])
	two := append(clone(good), zcert(signing, p.sign.pem))
	unknown := append(clone(good), zcert(99, p.sign.pem))
	device := append(clone(good), zcert(certs.ZCertType_CERT_TYPE_DEVICE_ECDH_EXCHANGE, p.ecdh.pem))
	garbled := clone(good)
	garbled[2].Cert = []byte("not PEM")
	for name, c := range map[string]struct {
		list []*certs.ZCert
		opts eveapi.CertOptions
		want eveapi.Code
	}{
		"good":                       {good, eveapi.CertOptions{}, 0},
		"two signing":                {two, eveapi.CertOptions{}, eveapi.CertSet},
		"no signing":                 {zero, eveapi.CertOptions{}, eveapi.CertSet},
		"empty":                      {nil, eveapi.CertOptions{}, eveapi.CertSet},
		"no ECDH":                    {noECDH, eveapi.CertOptions{}, eveapi.CertSet},
		"no ECDH needed":             {noECDH, eveapi.CertOptions{NoECDH: true}, 0},
		"unknown type":               {unknown, eveapi.CertOptions{}, eveapi.CertSet},
		"a device's type":            {device, eveapi.CertOptions{}, eveapi.CertSet},
		"a certificate not PEM":      {garbled, eveapi.CertOptions{}, eveapi.CertInvalid},
		"more than the allowed many": {slices.Repeat(good, 22), eveapi.CertOptions{}, eveapi.TooLarge},
	} {
		cc, err := eveapi.ParseControllerCerts(body(t, c.list), p.root.pem, noon, c.opts)
		if eveapi.CodeOf(err) != c.want || (err == nil) != (cc != nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAPI3_CertsNeedAChainToTheRoot(t *testing.T) {
	p := newPKI(t)
	list := body(t, p.list())
	none := eveapi.CertOptions{}
	unsigned := eveapi.Envelope{Payload: list}.Bytes()
	if _, err := eveapi.OpenControllerCerts(unsigned, p.root.pem, noon, none); err != nil {
		t.Errorf("without a signature, with a chain: %v", err)
	}
	signed := p.sign.seal(t, list, 16)
	if _, err := eveapi.OpenControllerCerts(signed, p.root.pem, noon, none); err != nil {
		t.Errorf("signed by the leaf inside: %v", err)
	}
	if _, err := eveapi.OpenControllerCerts(p.ecdh.seal(t, list, 32), p.root.pem, noon,
		none); eveapi.CodeOf(err) != eveapi.CertMiss {
		t.Errorf("signed by another certificate: %v, want CertMiss", err)
	}
	forged := eveapi.Envelope{
		Payload: list, Algo: algo32, Signature: p.ecdh.raw(t, list),
		CertHash: hashOf(p.sign.pem),
	}.Bytes()
	if _, err := eveapi.OpenControllerCerts(forged, p.root.pem, noon,
		none); eveapi.CodeOf(err) != eveapi.SignVerifyFail {
		t.Errorf("signed by another key: %v, want SignVerifyFail", err)
	}
	other := issue(t, nil, "root", key(t, "other root"), true, p.root.cert.NotBefore,
		p.root.cert.NotAfter)
	if _, err := eveapi.OpenControllerCerts(unsigned, other.pem, noon,
		none); eveapi.CodeOf(err) != eveapi.CertUnknownAuthority {
		t.Errorf("another root: %v, want CertUnknownAuthority", err)
	}
	short := body(t, []*certs.ZCert{p.list()[0], p.list()[2]})
	if _, err := eveapi.ParseControllerCerts(short, p.root.pem, noon,
		none); eveapi.CodeOf(err) != eveapi.CertUnknownAuthority {
		t.Errorf("intermediate left out: %v, want CertUnknownAuthority", err)
	}
	if _, err := eveapi.ParseControllerCerts(list, nil, noon,
		none); eveapi.CodeOf(err) != eveapi.CertUnknownAuthority {
		t.Errorf("no root: %v, want CertUnknownAuthority", err)
	}
	if _, err := eveapi.ParseControllerCerts(list[:len(list)-1], p.root.pem, noon,
		none); eveapi.CodeOf(err) != eveapi.Malformed {
		t.Errorf("damaged file: %v, want Malformed", err)
	}
}

func hashOf(text []byte) []byte {
	h := eveapi.ControllerCertHash(text)
	return h[:]
}

func TestExpiredLeafOnlyWhenCheckpointed(t *testing.T) {
	p := newPKI(t)
	for name, c := range map[string]struct {
		now time.Time
		ok  bool
	}{
		"now": {noon, true}, "1970": {time.Unix(0, 0), false}, "2040": {noon.AddDate(14, 0, 0), false},
	} {
		list := body(t, p.list())
		_, err := eveapi.ParseControllerCerts(list, p.root.pem, c.now, eveapi.CertOptions{})
		if c.ok && err != nil || !c.ok && eveapi.CodeOf(err) != eveapi.CertInvalid {
			t.Errorf("%s: %v", name, err)
		}
		opts := eveapi.CertOptions{Checkpointed: true}
		if _, err := eveapi.ParseControllerCerts(list, p.root.pem, c.now, opts); err != nil {
			t.Errorf("%s, checkpointed: %v", name, err)
		}
		other := issue(t, nil, "root", key(t, "other root"), true, p.root.cert.NotBefore,
			p.root.cert.NotAfter)
		if _, err := eveapi.ParseControllerCerts(list, other.pem, c.now, opts); err == nil {
			t.Errorf("%s, checkpointed: accepted without a chain", name)
		}
	}
}

// The name of a controller certificate depends on each byte of its PEM text, the name of a device
// certificate on its DER alone.
func TestTrailingNewlineChangesTheNameOfAControllerCertOnly(t *testing.T) {
	p := newPKI(t)
	trimmed := bytes.TrimRight(p.sign.pem, "\n")
	for _, stored := range [][]byte{trimmed, p.sign.pem, append(bytes.Clone(p.sign.pem), '\n')} {
		list := p.list()
		list[0] = zcert(signing, stored)
		cc, err := eveapi.ParseControllerCerts(body(t, list), p.root.pem, noon, eveapi.CertOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range [][]byte{trimmed, p.sign.pem, append(bytes.Clone(p.sign.pem), '\n')} {
			e := eveapi.Envelope{
				Payload: []byte("x"), Algo: algo32, CertHash: hashOf(named),
				Signature: p.sign.raw(t, []byte("x")),
			}
			_, fault := eveapi.Open(e.Bytes(), cc.Trusted())
			if same := bytes.Equal(stored, named); same != (fault == nil) {
				t.Errorf("stored %d bytes, named by %d: %v", len(stored), len(named), fault)
			}
		}
		dev, err := eveapi.ParseDeviceCert(stored)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(dev.Hash[:], eveapi.DeviceCertHash(p.sign.cert.Raw)) {
			t.Errorf("%d bytes of PEM: device name is not the DER's", len(stored))
		}
	}
}

func TestFingerprintIsOfTheSet(t *testing.T) {
	p := newPKI(t)
	first := parse(t, p)
	list := p.list()
	slices.Reverse(list)
	again, err := eveapi.ParseControllerCerts(body(t, list), p.root.pem, noon, eveapi.CertOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if first.Fingerprint != again.Fingerprint {
		t.Errorf("another order gives another fingerprint")
	}
	p.ecdh = issue(t, p.inter, "ecdh2", key(t, "ecdh2"), false, p.ecdh.cert.NotBefore,
		p.ecdh.cert.NotAfter)
	if parse(t, p).Fingerprint == first.Fingerprint {
		t.Errorf("another certificate gives the same fingerprint")
	}
	if len(first.ECDH) != 1 || !bytes.Equal(first.ECDH[0].Hash, hashOf(first.ECDH[0].PEM)[:16]) {
		t.Errorf("ECDH certificates: %v", first.ECDH)
	}
}
