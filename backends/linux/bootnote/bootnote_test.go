package bootnote_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/bootnote"
)

type memory struct {
	Boot  string
	Items []string
}

// TestNote writes a note and reads what another process would read then.
func TestNote(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	n, err := bootnote.Open(folder, "x.json", 0o700, nil)
	if err != nil {
		t.Fatal(err)
	}
	reads := func(what string, want bool) {
		t.Helper()
		var x memory
		ok, err := n.Load(&x)
		if err != nil || ok != want || ok && (len(x.Items) != 1 || x.Items[0] != "a") {
			t.Errorf("%s: %v, %+v, %v", what, ok, x, err)
		}
	}
	reads("no file", false)
	if err := n.Save(memory{n.Boot, []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	reads("what was saved", true)
	if err := n.Save(memory{"another", []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	reads("that of another boot", false)
	for _, text := range []string{"{", `{"Boot": "` + n.Boot + `", "Items": 7}`} {
		if err := os.WriteFile(n.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		reads("what makes no sense", false)
	}
}

// TestNoteOfACrash reports what a test has happen behind the file.
func TestNoteOfACrash(t *testing.T) {
	crash := errors.New("crash")
	n, err := bootnote.Open(t.TempDir(), "x.json", 0o700, func(what string) error {
		if what != "write x.json" {
			t.Errorf("behind %q", what)
		}
		return crash
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Save(memory{Boot: n.Boot}); !errors.Is(err, crash) {
		t.Errorf("saved: %v", err)
	}
	if _, err := os.Stat(n.Path); err != nil {
		t.Errorf("the crash comes behind the file: %v", err)
	}
}

// TestNoteWithoutAFolder keeps nothing.
func TestNoteWithoutAFolder(t *testing.T) {
	n, err := bootnote.Open("", "x.json", 0o700, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Save(memory{n.Boot, []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if ok, err := n.Load(&memory{}); ok || err != nil {
		t.Errorf("a note without a folder has something: %v, %v", ok, err)
	}
}
