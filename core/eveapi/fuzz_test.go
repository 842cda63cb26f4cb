package eveapi_test

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/auth"
	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"
)

// FuzzOpen: no envelope makes Open panic, and only the signed payload ever comes out.
func FuzzOpen(f *testing.F) {
	p := newPKI(f)
	trusted := parse(f, p).Trusted()
	payload := []byte("the one signed payload")
	good := p.sign.seal(f, payload, 32)
	f.Add(good)
	f.Add(p.sign.seal(f, payload, 16))
	f.Add(good[:len(good)/2])
	f.Add(append(bytes.Clone(good), good...))
	f.Add(p.ecdh.seal(f, payload, 32))
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, fault := eveapi.Open(b, trusted)
		if fault == nil && !bytes.Equal(got, payload) {
			t.Fatalf("opened %q, which nobody signed", got)
		}
		e, fault := eveapi.ParseEnvelope(b)
		var c auth.AuthContainer
		if err := proto.Unmarshal(b, &c); err != nil || fault != nil || e.Encrypted {
			return
		}
		if !bytes.Equal(c.GetProtectedPayload().GetPayload(), e.Payload) || c.GetAlgo() != e.Algo ||
			!bytes.Equal(c.GetSenderCertHash(), e.CertHash) ||
			!bytes.Equal(c.GetSignatureHash(), e.Signature) ||
			!bytes.Equal(c.GetSenderCert(), e.SenderCert) {
			t.Fatalf("protobuf reads %v, ParseEnvelope %+v", &c, e)
		}
	})
}

// FuzzParseControllerCerts: no list makes it panic, and an accepted one is complete.
func FuzzParseControllerCerts(f *testing.F) {
	p := newPKI(f)
	good := body(f, p.list())
	f.Add(good)
	f.Add(good[:len(good)-40])
	f.Add(body(f, p.list()[1:]))
	f.Add(bytes.ReplaceAll(good, []byte("MII"), []byte("MIJ")))
	f.Add([]byte{0x0a, 0x00, 0x0a, 0x02, 0x18, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		cc, err := eveapi.ParseControllerCerts(b, p.root.pem, noon, eveapi.CertOptions{})
		if err != nil {
			if eveapi.CodeOf(err) == 0 {
				t.Fatalf("error without a code: %v", err)
			}
			return
		}
		if cc.Signing.ECDSA == nil || len(cc.ECDH) == 0 {
			t.Fatalf("accepted without keys: %+v", cc)
		}
	})
}

// FuzzParseConfig: no answer makes it panic, and what parses can be serialized and parsed again.
func FuzzParseConfig(f *testing.F) {
	cfg, err := eveapi.Marshal(&config.EdgeDevConfig{
		Id:          &config.UUIDandVersion{Uuid: devID, Version: "1"},
		ConfigItems: []*config.ConfigItem{{Key: "timer.config.interval", Value: "5"}},
		Apps:        []*config.AppInstanceConfig{{Fixedresources: &config.VmConfig{Memory: 1}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	good := eveapi.ConfigResponseBody(cfg, "certs", "hash")
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(eveapi.ConfigResponseBody(nest(200), "", ""))
	f.Add(eveapi.ConfigResponseBody(bytes.Repeat([]byte{0x22, 0}, 40_000), "", "h"))
	f.Add([]byte{0x0a, 0x02, 0x22, 0x00, 0x12, 0x02, 0xff, 0xfe})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, hash, err := eveapi.ParseConfigResponse(b)
		if err != nil {
			if eveapi.CodeOf(err) == 0 {
				t.Fatalf("error without a code: %v", err)
			}
			return
		}
		raw, err := eveapi.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		again, hash2, err := eveapi.ParseConfigResponse(eveapi.ConfigResponseBody(raw, "", hash))
		if err != nil || hash != hash2 || !proto.Equal(again, got) && got != nil {
			t.Fatalf("does not survive a round: %v", err)
		}
	})
}
