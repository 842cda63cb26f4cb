package conform

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"github.com/evetwin/evetwin/core/device/tpm"
)

// ownKeys are the names of the keys that come into being when they are asked for.
func (x *tpmBench) ownKeys() []string {
	if x.none() {
		return []string{tpm.Attest, tpm.Ecdh}
	}
	return []string{tpm.Attest, tpm.Ecdh, tpm.Endorsement, tpm.Identity}
}

func (x *tpmBench) publics(t *testing.T) {
	x.public.refuses(t, tpm.PublicReq{Name: tpm.Device}, tpm.FaultNoKey, true)
	x.public.refuses(t, tpm.PublicReq{Name: "nobody"}, tpm.FaultNoKey, true)
	absent(t, x, x.public, tpm.PublicReq{Name: tpm.Endorsement})
	absent(t, x, x.public, tpm.PublicReq{Name: tpm.Identity})
	seen := map[string]string{}
	for _, name := range x.ownKeys() {
		res := x.public.does(t, tpm.PublicReq{Name: name}, nil)
		if _, err := x509.ParsePKIXPublicKey(res.PKIX); err != nil {
			t.Errorf("key %s: %v", name, err)
		}
		if other, has := seen[string(res.PKIX)]; has {
			t.Errorf("keys %s and %s are one", name, other)
		}
		seen[string(res.PKIX)] = name
		if (len(res.Area) == 0) != x.none() {
			t.Errorf("the public area of key %s has %d bytes", name, len(res.Area))
		}
	}
}

func (x *tpmBench) devicePublic(t *testing.T) {
	x.create(t)
	cert := x.see(t, tpm.Device).certificate(t)
	if !x.key(t, tpm.Device).Equal(cert.PublicKey) {
		t.Error("the certificate is of another key than Public gives")
	}
}

func (x *tpmBench) agrees(t *testing.T) {
	own, err := x.key(t, tpm.Ecdh).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		peer, err := ecdh.P256().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		res := x.agree.does(t, tpm.AgreeReq{Peer: peer.PublicKey().Bytes()}, nil)
		want, err := peer.ECDH(own)
		if err != nil || !bytes.Equal(res.X[:], want) {
			t.Errorf("agreed on %x, the peer on %x, %v", res.X, want, err)
		}
		point := slices.Concat([]byte{4}, res.X[:], res.Y[:])
		if _, err := ecdh.P256().NewPublicKey(point); err != nil {
			t.Errorf("agreed on what is no point: %v", err)
		}
	}
}

func (x *tpmBench) disagrees(t *testing.T) {
	peer, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	off := bytes.Clone(peer.PublicKey().Bytes())
	off[40] ^= 1
	for _, p := range [][]byte{nil, {0}, off[:64], off} {
		x.agree.refuses(t, tpm.AgreeReq{Peer: p}, tpm.FaultRefused, false)
	}
}

// credential makes one for the key Identity of the module with an endorsement key.
func (x *tpmBench) credential(t *testing.T, secret []byte) tpm.ActivateReq {
	t.Helper()
	area := func(name string) *tpm2.TPMTPublic {
		p, err := tpm2.Unmarshal[tpm2.TPMTPublic](
			x.public.does(t, tpm.PublicReq{Name: name}, nil).Area)
		if err != nil {
			t.Fatalf("public area of %s: %v", name, err)
		}
		return p
	}
	to, err := tpm2.ImportEncapsulationKey(area(tpm.Endorsement))
	if err != nil {
		t.Fatal(err)
	}
	name, err := tpm2.ObjectName(area(tpm.Identity))
	if err != nil {
		t.Fatal(err)
	}
	blob, seed, err := tpm2.CreateCredential(rand.Reader, to, name.Buffer, secret)
	if err != nil {
		t.Fatal(err)
	}
	return tpm.ActivateReq{Blob: blob, Secret: seed}
}

func (x *tpmBench) activates(t *testing.T) {
	if absent(t, x, x.activate, tpm.ActivateReq{}) {
		return
	}
	for _, secret := range []string{"sixteen bytes ok", "a credential of thirty two bytes"} {
		q := x.credential(t, []byte(secret))
		if got := x.activate.does(t, q, nil); string(got.Credential) != secret {
			t.Errorf("the credential holds %q, want %q", got.Credential, secret)
		}
	}
}

func (x *tpmBench) refusesCredential(t *testing.T) {
	if absent(t, x, x.activate, tpm.ActivateReq{}) {
		return
	}
	good, other := x.credential(t, []byte("a secret")), x.credential(t, []byte("another"))
	damaged := tpm.ActivateReq{Blob: bytes.Clone(good.Blob), Secret: good.Secret}
	damaged.Blob[len(damaged.Blob)-1] ^= 1
	for _, q := range []tpm.ActivateReq{{}, damaged, {Blob: good.Blob, Secret: other.Secret},
		{Blob: good.Blob, Secret: good.Secret[:8]}} {
		x.activate.refuses(t, q, tpm.FaultRefused, false)
	}
}

func (x *tpmBench) sameOwnKeys(t *testing.T) {
	before := map[string][]byte{}
	for _, name := range x.ownKeys() {
		before[name] = x.public.does(t, tpm.PublicReq{Name: name}, nil).PKIX
	}
	x.restart(t)
	for _, name := range x.ownKeys() {
		if got := x.public.does(t, tpm.PublicReq{Name: name}, nil); !bytes.Equal(got.PKIX, before[name]) {
			t.Errorf("key %s is another one after a power cut", name)
		}
	}
}

// sealedTo are the registers of the suite's secrets, as they may stand in a policy.
func sealedTo() []uint32 { return []uint32{14, 0, 7, 8} }

func (x *tpmBench) nothingSealed(t *testing.T) {
	q := tpm.UnsealReq{Registers: sealedTo()}
	if !absent(t, x, x.unseal, q) {
		x.unseal.refuses(t, q, tpm.FaultNoData, true)
	}
}

func (x *tpmBench) wrongSeal(t *testing.T) {
	if absent(t, x, x.seal, tpm.SealReq{Registers: sealedTo()}) {
		return
	}
	x.seal.refuses(t, tpm.SealReq{Secret: make([]byte, tpm.MaxSealed+1), Registers: sealedTo()},
		tpm.FaultRefused, false)
	x.seal.refuses(t, tpm.SealReq{Secret: []byte("x")}, tpm.FaultRefused, false)
	x.seal.refuses(t, tpm.SealReq{Registers: []uint32{1, 1}}, tpm.FaultRefused, false)
	x.unseal.refuses(t, tpm.UnsealReq{Registers: []uint32{24}}, tpm.FaultRefused, false)
	x.nothingSealed(t)
}

// unseals wants a secret.
func (x *tpmBench) unseals(t *testing.T, want string) {
	t.Helper()
	got := x.unseal.does(t, tpm.UnsealReq{Registers: []uint32{0, 7, 8, 14}}, nil)
	if string(got.Secret) != want {
		t.Errorf("unsealed %q, want %q", got.Secret, want)
	}
}

func (x *tpmBench) seals(t *testing.T) {
	longest := string(bytes.Repeat([]byte("s"), tpm.MaxSealed))
	for _, secret := range []string{"x", longest, "thirty-two bytes of a vault key."} {
		q := tpm.SealReq{Secret: []byte(secret), Registers: sealedTo()}
		if absent(t, x, x.seal, q) {
			return
		}
		x.seal.does(t, q, nil)
		x.unseals(t, secret)
	}
	x.unseals(t, "thirty-two bytes of a vault key.")
}

func (x *tpmBench) sealsOwn(t *testing.T) {
	q := tpm.SealReq{Registers: sealedTo()}
	if absent(t, x, x.seal, q) {
		return
	}
	own := func() string {
		x.seal.does(t, q, nil)
		return string(x.unseal.does(t, tpm.UnsealReq{Registers: sealedTo()}, nil).Secret)
	}
	if a, b := own(), own(); len(a) != 32 || len(b) != 32 || a == b {
		t.Errorf("the module's own secrets are %x and %x", a, b)
	}
	x.seal.does(t, tpm.SealReq{Secret: []byte("vault"), Registers: sealedTo()}, nil)
}

func (x *tpmBench) otherRegisters(t *testing.T) {
	if absent(t, x, x.unseal, tpm.UnsealReq{Registers: []uint32{0}}) {
		return
	}
	x.unseal.refuses(t, tpm.UnsealReq{Registers: []uint32{0, 7, 8}}, tpm.FaultPolicy, false)
	x.unseal.refuses(t, tpm.UnsealReq{Registers: []uint32{0, 7, 8, 13}}, tpm.FaultPolicy, false)
	x.unseals(t, "vault")
}

func (x *tpmBench) policyBroken(t *testing.T) {
	if absent(t, x, x.unseal, tpm.UnsealReq{Registers: sealedTo()}) {
		return
	}
	x.extend.does(t, tpm.ExtendReq{Register: 9, Type: action, Event: []byte("elsewhere")}, nil)
	x.unseals(t, "vault")
	x.extend.does(t, tpm.ExtendReq{Register: 14, Type: action, Event: []byte("another server")}, nil)
	x.unseal.refuses(t, tpm.UnsealReq{Registers: sealedTo()}, tpm.FaultPolicy, false)
	x.seal.does(t, tpm.SealReq{Secret: []byte("vault"), Registers: sealedTo()}, nil)
	x.unseals(t, "vault")
}

func (x *tpmBench) unsealsAfterCut(t *testing.T) {
	if absent(t, x, x.unseal, tpm.UnsealReq{Registers: sealedTo()}) {
		return
	}
	x.restart(t)
	x.unseal.refuses(t, tpm.UnsealReq{Registers: sealedTo()}, tpm.FaultPolicy, false)
	x.extend.does(t, tpm.ExtendReq{Register: 14, Type: action, Event: []byte("another server")}, nil)
	x.unseals(t, "vault")
}

// cutSealing cuts the power while one secret takes the place of another.
func (x *tpmBench) cutSealing(t *testing.T) {
	q := tpm.SealReq{Secret: []byte("old secret"), Registers: sealedTo()}
	if absent(t, x, x.seal, q) {
		return
	}
	for range 5 {
		x.seal.does(t, q, nil)
		x.turn(t, func() {
			x.seal.use.Want("x", tpm.SealReq{Secret: []byte("new secret"), Registers: sealedTo()})
		})
		x.restart(t)
		got := string(x.unseal.does(t, tpm.UnsealReq{Registers: sealedTo()}, nil).Secret)
		if got != "old secret" && got != "new secret" {
			t.Errorf("after a power cut the secret is %q", got)
		}
	}
}
