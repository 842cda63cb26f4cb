package conform

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
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

// stands returns what a reference stands for, and wants it to be the one that the keeper gives that
// secret.
func (x *tpmBench) stands(t *testing.T, from secret.Origin, ref string) (value string) {
	t.Helper()
	var known bool
	var again string
	x.turn(t, func() {
		if value, known = x.keeper.Reveal(ref); known {
			again = x.keeper.Made(from, []byte(value))
		}
	})
	if !known || again != ref {
		t.Fatalf("the reference %q is known: %v, and its secret has %q", ref, known, again)
	}
	return value
}

// peer is somebody to agree with.
func peer(t *testing.T) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// agreed agrees with a peer and returns the reference.
func (x *tpmBench) agreed(t *testing.T, with *ecdh.PrivateKey) string {
	t.Helper()
	return x.agree.does(t, tpm.AgreeReq{Peer: with.PublicKey().Bytes()}, nil).Point
}

func (x *tpmBench) agrees(t *testing.T) {
	own, err := x.key(t, tpm.Ecdh).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	refs := map[string]bool{}
	for range 3 {
		with := peer(t)
		ref := x.agreed(t, with)
		point := x.stands(t, secret.Agreed, ref)
		want, err := with.ECDH(own)
		if err != nil || len(point) != 64 || point[:32] != string(want) {
			t.Errorf("agreed on %x, the peer on %x, %v", point, want, err)
		}
		if _, err := ecdh.P256().NewPublicKey([]byte("\x04" + point)); err != nil {
			t.Errorf("agreed on what is no point: %v", err)
		}
		if again := x.agreed(t, with); again != ref || refs[ref] {
			t.Errorf("agreed on %s, again on %s, and before: %v", ref, again, refs)
		}
		refs[ref] = true
	}
}

// agreesMuch agrees on more secrets than are kept.
func (x *tpmBench) agreesMuch(t *testing.T) {
	first := peer(t)
	ref := x.agreed(t, first)
	known := func() (ok bool) {
		x.turn(t, func() { _, ok = x.keeper.Reveal(ref) })
		return ok
	}
	for n := 0; known(); n++ {
		if n == 100 {
			t.Fatalf("after %d other secrets the first is still kept", n)
		}
		x.agreed(t, peer(t))
	}
	if again := x.agreed(t, first); again != ref || !known() {
		t.Errorf("agreed on %s, and again on %s", ref, again)
	}
}

func (x *tpmBench) disagrees(t *testing.T) {
	off := peer(t).PublicKey().Bytes()
	off[40] ^= 1
	for _, p := range [][]byte{nil, {0}, off[:64], off} {
		x.agree.refuses(t, tpm.AgreeReq{Peer: p}, tpm.FaultRefused, false)
	}
}

// credential makes one for the key Identity of the module with an endorsement key.
func (x *tpmBench) credential(t *testing.T, text string) tpm.ActivateReq {
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
	blob, seed, err := tpm2.CreateCredential(rand.Reader, to, name.Buffer, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tpm.ActivateReq{Blob: blob, Secret: seed}
}

func (x *tpmBench) activates(t *testing.T) {
	if absent(t, x, x.activate, tpm.ActivateReq{}) {
		return
	}
	for _, text := range []string{"sixteen bytes ok", "a credential of thirty two bytes"} {
		var refs [2]string
		for n := range refs {
			refs[n] = x.activate.does(t, x.credential(t, text), nil).Credential
			if got := x.stands(t, secret.Credential, refs[n]); got != text {
				t.Errorf("the credential holds %q, want %q", got, text)
			}
		}
		if refs[0] != refs[1] {
			t.Errorf("one secret has the references %q", refs)
		}
	}
}

func (x *tpmBench) refusesCredential(t *testing.T) {
	if absent(t, x, x.activate, tpm.ActivateReq{}) {
		return
	}
	good, other := x.credential(t, "a secret"), x.credential(t, "another")
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
