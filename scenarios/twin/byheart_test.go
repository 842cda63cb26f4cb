package twin

import (
	"testing"

	"github.com/evetwin/evetwin/backends/sim/tpm"
)

// What a memory says is what is so, the first time and by heart; it tells all inputs apart.
func TestMemoryOfSignatures(t *testing.T) {
	m := &Memory{}
	sign, verify := m.signer(), m.verifier()
	a, b := tpm.DeriveKey(1, "a"), tpm.DeriveKey(1, "b")
	for range 2 {
		for _, d := range [][32]byte{{1}, {2}} {
			rs, err := sign(a, d)
			want, _ := tpm.Sign(a, d)
			if err != nil || rs != want {
				t.Fatal("another signature than the TPM's")
			}
			for _, x := range []struct {
				good bool
				ok   bool
			}{
				{true, verify(&a.PublicKey, d, rs[:])}, {false, verify(&b.PublicKey, d, rs[:])},
				{false, verify(&a.PublicKey, [32]byte{3}, rs[:])},
				{false, verify(&a.PublicKey, d, rs[:62])},
			} {
				if x.good != x.ok {
					t.Fatalf("%+v", x)
				}
			}
		}
		mine, _ := sign(a, [32]byte{1})
		if other, err := sign(b, [32]byte{1}); err != nil || other == mine {
			t.Fatal("two keys sign alike")
		}
	}
	if len(m.signed) != 3 || len(m.verified) != 8 {
		t.Errorf("%d signed, %d verified", len(m.signed), len(m.verified))
	}
}
