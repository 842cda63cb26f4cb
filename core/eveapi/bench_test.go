package eveapi_test

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi"
)

func BenchmarkSeal(b *testing.B) {
	payload := bytes.Repeat([]byte("c"), 3<<10)
	hash := make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		eveapi.Seal(payload, [64]byte{}, hash, nil)
	}
}

// BenchmarkOpen includes the one ECDSA verification.
func BenchmarkOpen(b *testing.B) {
	p := newPKI(b)
	trusted := parse(b, p).Trusted()
	envelope := p.sign.seal(b, bytes.Repeat([]byte("c"), 3<<10), 32)
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := eveapi.Open(envelope, trusted); fault != nil {
			b.Fatal(fault)
		}
	}
}

func BenchmarkParseEnvelope(b *testing.B) {
	p := newPKI(b)
	envelope := p.sign.seal(b, bytes.Repeat([]byte("c"), 3<<10), 32)
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := eveapi.ParseEnvelope(envelope); fault != nil {
			b.Fatal(fault)
		}
	}
}

func BenchmarkParseControllerCerts(b *testing.B) {
	p := newPKI(b)
	list := body(b, p.list())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := eveapi.ParseControllerCerts(list, p.root.pem, noon,
			eveapi.CertOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
