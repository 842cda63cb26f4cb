package live

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A disk without room holds up what is to be durable: nobody is told, nothing is there in part, the
// boot is not kept waiting. With room all of it goes on, in order.
func TestADiskWithoutRoom(t *testing.T) {
	dir := t.TempDir()
	j, err := openJournal(dir, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	var free atomic.Int64
	free.Store(1000)
	retry := make(chan time.Time)
	j.squeeze(&free, retry)
	said := make(chan error, 10)
	j.space = func(err error) { said <- err }
	go j.serve()
	told := make(chan int, 10)
	put := func(n int, keys ...string) { j.write(record(n, keys...), func() { told <- n }) }
	put(1, "a")
	if n := <-told; n != 1 {
		t.Fatal(n)
	}
	free.Store(30) // a part of the next record
	put(2, "a", "b")
	if err := <-said; err == nil || !strings.Contains(err.Error(), "write journal "+j.path) {
		t.Fatalf("said %v", err)
	}
	if n, err := j.boot(); n != 1 || err != nil {
		t.Fatalf("boot %d: %v", n, err)
	}
	put(3, "c")
	for range 3 {
		retry <- time.Time{} // the third is taken when the second has been tried
	}
	again := reopen(t, copied(t, dir))
	if got := again.text(); got != "0: a@1" || again.lost != 0 || len(told) != 0 || len(said) != 0 {
		t.Fatalf("the disk has %s, %d bytes too many; %d told, %d said", got, again.lost, len(told),
			len(said))
	}
	free.Store(1 << 20)
	close(retry)
	for _, want := range []int{2, 3} {
		if n := <-told; n != want {
			t.Fatalf("told of %d, want %d", n, want)
		}
	}
	if err := <-said; err != nil {
		t.Fatal(err)
	}
	put(4, "d")
	<-told
	j.close()
	const want = "1: a@2 b@2 c@3 d@4"
	if got := reopen(t, dir).text(); got != want || j.text() != want || len(said) != 0 {
		t.Fatalf("%s, then %s; %d said", j.text(), got, len(said))
	}
}

// copied is a folder with the journal as it is on the disk now.
func copied(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(dir + "/journal")
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	write(t, to, b)
	return to
}

// Some file systems notice a missing room only when they sync.
func TestRoomThatIsMissedAtTheSync(t *testing.T) {
	dir := t.TempDir()
	j, err := openJournal(dir, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer j.shut()
	full := true
	j.sync = func(*os.File) error {
		if full {
			return syscall.EDQUOT
		}
		return nil
	}
	told := 0
	j.write(record(1, "a", "b"), func() { told++ })
	j.flush()
	if got := reopen(t, copied(t, dir)).text(); told != 0 || got != "0:" {
		t.Fatalf("told %d, the disk has %s", told, got)
	}
	full = false
	j.flush()
	j.flush()
	if got := reopen(t, copied(t, dir)).text(); told != 1 || got != "0: a@1 b@1" {
		t.Fatalf("told %d, the disk has %s", told, got)
	}
}

// Without room for a new file the old one goes on, at an opening and as it grows.
func TestAFileThatCannotBeWrittenAnew(t *testing.T) {
	j, err := openJournal(t.TempDir(), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer j.shut()
	tries := 0
	j.sync = func(*os.File) error { return nil }
	j.replace = func(string, []byte) error { tries++; return syscall.ENOSPC }
	told := 0
	for n := range 20_000 {
		r := record(n, "a")
		r.Rows[0].Val = fmt.Appendf(nil, "%q", strings.Repeat("x", 1<<10))
		j.write(r, func() { told++ })
		j.flush()
	}
	if told != 20_000 || tries != 1 {
		t.Errorf("told of %d, tried %d times to write %d bytes anew", told, tries, j.size)
	}
	// At an opening: the torn end is cut off, what is written then is found.
	dir := t.TempDir()
	first, put := served(t, dir)
	put(record(1, "a"))
	b, err := os.ReadFile(first.path)
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	write(t, to, append(b, "torn"...))
	k, err := openJournal("", nil)
	if err != nil {
		t.Fatal(err)
	}
	k.replace = j.replace
	k.path = strings.Replace(first.path, dir, to, 1)
	if err := k.open(to); err != nil {
		t.Fatal(err)
	}
	k.write(record(2, "b"), func() {})
	k.flush()
	k.shut()
	if again := reopen(t, to); again.text() != "0: a@1 b@2" || again.lost != 0 {
		t.Errorf("rows %s, %d bytes lost", again.text(), again.lost)
	}
}
