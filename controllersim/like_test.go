package controllersim_test

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/controllersim"
)

// A controller that takes its certificates over is the one that makes them, whatever became of the
// first; one of another seed makes its own.
func TestAControllerLikeAnother(t *testing.T) {
	made := func(seed string, like *controllersim.Controller) *controllersim.Controller {
		c, err := controllersim.New(controllersim.Options{Seed: []byte(seed), Like: like})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, plain := made("a", nil), made("a", nil)
	if err := first.Rotate(); err != nil {
		t.Fatal(err)
	}
	same, other := made("a", first), made("b", first)
	for range 2 {
		if !bytes.Equal(same.RootPEM(), plain.RootPEM()) || same.CertsHash() != plain.CertsHash() ||
			same.Generation() != plain.Generation() {
			t.Fatal("a controller like another is not what it would be by itself")
		}
		if err := same.Rotate(); err != nil {
			t.Fatal(err)
		}
		if err := plain.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	if first.Generation() != 1 || bytes.Equal(other.RootPEM(), plain.RootPEM()) {
		t.Error("controllers of two seeds share certificates, or one was rotated with another")
	}
}
