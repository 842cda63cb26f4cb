package secret

import (
	"fmt"
	"slices"
	"testing"
)

// proxied keeps a configuration in force whose proxy has a login.
func proxied(k *Keeper, name, login string) string {
	d := &document{sha: name}
	k.keep(d, "config:"+store1+":password", "not for long")
	ref := k.keep(d, "config:"+store1+":server", login)
	k.take(d)
	k.Hold(name)
	return ref
}

func TestLoginsOfProxiesOutliveTheirConfiguration(t *testing.T) {
	k := New([]byte("key"))
	first := proxied(k, "first", "alice:sesame")
	for n := range 2 * maxHeld {
		proxied(k, fmt.Sprint("later ", n), "alice:other")
	}
	if v, _ := k.Value(first); v != "alice:sesame" {
		t.Errorf("%s is %q", first, v)
	}
	list := k.Lasting()
	if len(list) != 2 || list[0] != (Lasting{first, "alice:sesame"}) {
		t.Fatalf("%+v outlives the boot", list)
	}
	// The next boot knows them before it has read anything, and tells them on.
	next := New([]byte("key"))
	next.Recall(list)
	if v, _ := next.Value(first); v != "alice:sesame" || !slices.Equal(next.Lasting(), list) {
		t.Errorf("%s is %q after a boot", first, v)
	}
	if again := proxied(next, "first", "alice:sesame"); again != first {
		t.Errorf("%q was %q before", again, first)
	}
	for n := range 2 * maxLasting {
		proxied(next, fmt.Sprint("new ", n), fmt.Sprint("bob:", n))
	}
	if _, ok := next.Value(first); ok || len(next.Lasting()) != maxLasting {
		t.Errorf("%d are kept, the oldest %v", len(next.Lasting()), ok)
	}
	if n := len(next.values); n > maxLasting+2*maxHeld {
		t.Errorf("%d secrets are in memory", n)
	}
}
