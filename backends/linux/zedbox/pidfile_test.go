package zedbox

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// One process at a time is the agent of a name. The file of one that has died counts for nothing,
// even where its number is that of another process that lives.
func TestDEV8_OneProcessPerAgent(t *testing.T) {
	r := Root(t.TempDir())
	if err := r.Make(); err != nil {
		t.Fatal(err)
	}
	first, err := Hold(r, "nim")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Hold(r, "nim"); !errors.Is(err, ErrAlive) ||
		!strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("a second instance: %v", err)
	}
	if pid, err := Alive(r, "nim"); pid != os.Getpid() || err != nil {
		t.Errorf("process %d is alive, %v", pid, err)
	}
	other, err := Hold(r, "diag")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Release(), other.Release()); err != nil {
		t.Fatal(err)
	}
	if pid, err := Alive(r, "nim"); pid != 0 || err != nil {
		t.Errorf("behind its end, process %d is alive, %v", pid, err)
	}
	// What a process leaves that is killed: a file with a number, and no lock.
	if err := os.WriteFile(r.PIDFile("nim"), []byte("1234567890\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if pid, err := Alive(r, "nim"); pid != 0 || err != nil {
		t.Errorf("behind its death, process %d is alive, %v", pid, err)
	}
	again, err := Hold(r, "nim")
	if err != nil {
		t.Fatalf("a stale file: %v", err)
	}
	b, err := os.ReadFile(r.PIDFile("nim"))
	if want := strconv.Itoa(os.Getpid()) + "\n"; string(b) != want || err != nil {
		t.Errorf("the file has %q, want %q: %v", b, want, err)
	}
	// A child must not hold what its parent holds.
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
	last, err := Hold(r, "nim")
	if err != nil {
		t.Fatalf("while a child of the last one lives: %v", err)
	}
	if err := last.Release(); err != nil {
		t.Fatal(err)
	}
}
