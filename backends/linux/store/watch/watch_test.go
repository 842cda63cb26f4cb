package watch_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/store/watch"
)

// ear hears of changes.
type ear chan string

func (e ear) Changed(dir, name string) { e <- filepath.Base(dir) + ": " + name }
func (e ear) Lost()                    { e <- "lost" }

// hears wants changes, in this order, and no other before them.
func (e ear) hears(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-e:
			if got != w {
				t.Errorf("heard %q, want %q", got, w)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("did not hear %q", w)
		}
	}
}

func TestChangesAreTold(t *testing.T) {
	e := make(ear, 100)
	w, err := watch.New(e)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "d")
	file := filepath.Join(dir, "f")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(dir, 0o700))
	must(w.Add(dir))
	must(w.Add(dir))
	must(os.WriteFile(file, []byte("x"), 0o600))
	e.hears(t, "d: f", "d: f") // it is made, then closed
	must(os.Rename(file, file+"2"))
	e.hears(t, "d: f", "d: f2")
	must(os.Truncate(file+"2", 0)) // without opening it: nobody is told
	must(os.Remove(file + "2"))
	e.hears(t, "d: f2")
	must(os.Remove(dir))
	e.hears(t, "d: ")
	if w.Add(dir) == nil {
		t.Error("a folder that is not there is watched")
	}
	must(w.Close())
	if len(e) > 0 {
		t.Errorf("heard %q more", <-e)
	}
}
