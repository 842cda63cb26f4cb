package secret

import (
	"fmt"
	"strings"
	"testing"
)

func TestMadeSecretsHaveOneReference(t *testing.T) {
	k := New([]byte("key"))
	text := []byte("thirty-two bytes of a vault key.")
	ref := k.Made(Sealed, text)
	if v, ok := k.Reveal(ref); !ok || v != string(text) || !strings.HasPrefix(ref, "sealed:") {
		t.Errorf("%s is %q %v", ref, v, ok)
	}
	if again := k.Made(Sealed, text); again != ref {
		t.Errorf("%q is %q when it is made again", ref, again)
	}
	if next := New([]byte("key")).Made(Sealed, text); next != ref {
		t.Errorf("%q is %q in the next boot", ref, next)
	}
	for what, other := range map[string]string{
		"another device":   New([]byte("another key")).Made(Sealed, text),
		"another secret":   k.Made(Sealed, text[1:]),
		"another origin":   k.Made(Agreed, text),
		"the third origin": k.Made(Credential, text),
	} {
		if other == ref {
			t.Errorf("%s has the same reference", what)
		}
	}
	if v, ok := New([]byte("key")).Reveal(ref); ok {
		t.Errorf("the next boot knows %q before it is made again", v)
	}
}

// Whoever has much agreed on does not push out what was sealed, and what is in use stays.
func TestMadeSecretsAreForgottenByTheirAge(t *testing.T) {
	k := New([]byte("key"))
	sealed, first := k.Made(Sealed, []byte("sealed")), k.Made(Agreed, []byte("first"))
	var refs []string
	for n := range 3 * maxMade {
		refs = append(refs, k.Made(Agreed, fmt.Append(nil, "agreed ", n)))
		k.Made(Agreed, []byte("first"))
	}
	for _, ref := range []string{sealed, first} {
		if _, ok := k.Reveal(ref); !ok {
			t.Errorf("%s is forgotten", ref)
		}
	}
	for n, ref := range refs {
		if _, ok := k.Reveal(ref); ok != (n > 2*maxMade) {
			t.Errorf("number %d of %d is known: %v", n, len(refs), ok)
		}
	}
	if n := len(k.made); n != maxMade+1 {
		t.Errorf("%d secrets are kept", n)
	}
}

// Whoever has a part send or show what a reference stands for cannot name the key of a vault.
func TestSecretsOfATPMAreNotForServers(t *testing.T) {
	k, d := New([]byte("key")), &document{}
	sealed, word := k.Made(Sealed, []byte("vault")), k.keep(d, "config:x:password", "sesame")
	if v, ok := k.Value(sealed); ok {
		t.Errorf("%s is handed out: %q", sealed, v)
	}
	if v, ok := k.Reveal(word); !ok || v != "sesame" {
		t.Errorf("%s is %q %v within the parts", word, v, ok)
	}
}

func TestReferencesOfModulesAreKnownByTheirForm(t *testing.T) {
	k := New([]byte("key"))
	for _, from := range []Origin{Sealed, Agreed, Credential} {
		ref := k.Made(from, []byte("x"))
		if !Is(ref) || !OfModule(ref) || Malformed(ref) || Tag(ref) != "" ||
			strings.Contains(Place(ref), "nobody") {
			t.Errorf("%s is taken for the %s", ref, Place(ref))
		}
	}
	sealed := k.Made(Sealed, []byte("x"))
	for _, text := range []string{"", "sealed", "sealed:", sealed[:len(sealed)-1], sealed + "0",
		"x" + sealed,
		"sealed:" + strings.Repeat("z", madeDigits), "broken:" + strings.Repeat("0", madeDigits),
		":" + strings.Repeat("0", madeDigits)} {
		if Is(text) || OfModule(text) || !strings.Contains(Place(text), "nobody") {
			t.Errorf("%q is taken for the %s", text, Place(text))
		}
	}
	if ref := "config:" + store1 + ":password:1234"; OfModule(ref) || !Is(ref) {
		t.Errorf("%s is taken for a module's", ref)
	}
}
