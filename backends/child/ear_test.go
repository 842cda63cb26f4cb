package child_test

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/child"
)

// TestEar hears what comes in pieces, once for each time it is asked for.
func TestEar(t *testing.T) {
	e := &child.Ear{}
	said := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	write := func(text string) {
		t.Helper()
		if n, err := e.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("wrote %d of %d bytes: %v", n, len(text), err)
		}
	}
	write("ready, and nobody asked")
	ready := e.Expect("ready")
	write("rea")
	if said(ready) {
		t.Error("heard what was said before, or half of it")
	}
	write(strings.Repeat("x", 1<<17) + "re")
	write("ady\n")
	if !said(ready) {
		t.Error("did not hear what came in two pieces, behind much else")
	}
	again := e.Expect("ready")
	if said(again) {
		t.Error("heard once, told twice")
	}
	write("ready")
	if !said(again) {
		t.Error("did not hear it again")
	}
}
