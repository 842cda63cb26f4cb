package conform

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// sealedTo are the registers of the suite's secrets, as they may stand in a policy.
func sealedTo() []uint32 { return []uint32{14, 0, 7, 8} }

// noReference is one that nobody gave out.
const noReference = "sealed:00112233445566778899aabbccddeeff"

// toSeal is a request to seal a secret: the keeper has it, from elsewhere.
func (x *tpmBench) toSeal(t *testing.T, text string) tpm.SealReq {
	t.Helper()
	q := tpm.SealReq{Registers: sealedTo()}
	x.turn(t, func() { q.Secret = x.keeper.Made(secret.Credential, []byte(text)) })
	return q
}

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
	x.seal.refuses(t, x.toSeal(t, strings.Repeat("s", tpm.MaxSealed+1)), tpm.FaultRefused, false)
	x.seal.refuses(t, x.toSeal(t, ""), tpm.FaultRefused, false)
	q := x.toSeal(t, "x")
	x.seal.refuses(t, tpm.SealReq{Secret: q.Secret}, tpm.FaultRefused, false)
	x.seal.refuses(t, tpm.SealReq{Registers: []uint32{1, 1}}, tpm.FaultRefused, false)
	x.unseal.refuses(t, tpm.UnsealReq{Registers: []uint32{24}}, tpm.FaultRefused, false)
	for _, ref := range []string{noReference, "no reference at all"} {
		x.seal.refuses(t, tpm.SealReq{Secret: ref, Registers: sealedTo()}, tpm.FaultSecret, true)
	}
	x.nothingSealed(t)
}

// unsealed returns the reference of the sealed secret.
func (x *tpmBench) unsealed(t *testing.T) string {
	t.Helper()
	return x.unseal.does(t, tpm.UnsealReq{Registers: []uint32{0, 7, 8, 14}}, nil).Secret
}

// unseals wants a secret.
func (x *tpmBench) unseals(t *testing.T, want string) {
	t.Helper()
	if got := x.stands(t, secret.Sealed, x.unsealed(t)); got != want {
		t.Errorf("unsealed %q, want %q", got, want)
	}
}

func (x *tpmBench) seals(t *testing.T) {
	for _, text := range []string{"x", strings.Repeat("s", tpm.MaxSealed),
		"thirty-two bytes of a vault key."} {
		q := x.toSeal(t, text)
		if absent(t, x, x.seal, q) {
			return
		}
		x.seal.does(t, q, nil)
		x.unseals(t, text)
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
		return x.stands(t, secret.Sealed, x.unsealed(t))
	}
	if a, b := own(), own(); len(a) != 32 || len(b) != 32 || a == b {
		t.Errorf("the module's own secrets are %x and %x", a, b)
	}
	x.seal.does(t, x.toSeal(t, "vault"), nil)
}

// sameReference seals what it unsealed, and something else in between.
func (x *tpmBench) sameReference(t *testing.T) {
	if absent(t, x, x.unseal, tpm.UnsealReq{Registers: sealedTo()}) {
		return
	}
	ref := x.unsealed(t)
	x.seal.does(t, x.toSeal(t, "another"), nil)
	if other := x.unsealed(t); other == ref {
		t.Errorf("two secrets have the reference %s", ref)
	}
	x.seal.does(t, tpm.SealReq{Secret: ref, Registers: sealedTo()}, nil)
	if again := x.unsealed(t); again != ref {
		t.Errorf("%s is %s when it was sealed again", ref, again)
	}
	x.unseals(t, "vault")
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
	x.seal.does(t, x.toSeal(t, "vault"), nil)
	x.unseals(t, "vault")
}

// unsealsAfterCut has a reference outlive its secret, until that is unsealed again.
func (x *tpmBench) unsealsAfterCut(t *testing.T) {
	if absent(t, x, x.unseal, tpm.UnsealReq{Registers: sealedTo()}) {
		return
	}
	ref := x.unsealed(t)
	x.restart(t)
	x.unseal.refuses(t, tpm.UnsealReq{Registers: sealedTo()}, tpm.FaultPolicy, false)
	x.seal.refuses(t, tpm.SealReq{Secret: ref, Registers: sealedTo()}, tpm.FaultSecret, true)
	x.extend.does(t, tpm.ExtendReq{Register: 14, Type: action, Event: []byte("another server")}, nil)
	x.unseals(t, "vault")
	if again := x.unsealed(t); again != ref {
		t.Errorf("after a power cut %s is %s", ref, again)
	}
}

// cutSealing cuts the power while one secret takes the place of another.
func (x *tpmBench) cutSealing(t *testing.T) {
	if absent(t, x, x.seal, tpm.SealReq{Registers: sealedTo()}) {
		return
	}
	for range 5 {
		x.seal.does(t, x.toSeal(t, "old secret"), nil)
		q := x.toSeal(t, "new secret")
		x.turn(t, func() { x.seal.use.Want("x", q) })
		x.restart(t)
		got := x.stands(t, secret.Sealed, x.unsealed(t))
		if got != "old secret" && got != "new secret" {
			t.Errorf("after a power cut the secret is %q", got)
		}
	}
}
