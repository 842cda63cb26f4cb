package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/host"
)

func record(n int, keys ...string) *host.Record {
	r := &host.Record{Agent: "a", Turn: uint64(n)}
	for _, k := range keys {
		s := host.Stored{Topic: "a/T", Key: strings.TrimPrefix(k, "-"), Rev: uint64(n)}
		if k[0] != '-' {
			s.Val = json.RawMessage(fmt.Sprintf(`{"N":%d}`, n))
		}
		r.Rows = append(r.Rows, s)
	}
	return r
}

// text is what a journal has: boots, then rows.
func (j *journal) text() string {
	out := fmt.Sprint(j.n, ":")
	for _, s := range j.rows() {
		out += fmt.Sprintf(" %s@%d", s.Key, s.Rev)
	}
	return out
}

// served is a journal whose goroutine runs until the test ends, and a function that puts a record
// and waits for it.
func served(t *testing.T, dir string) (*journal, func(*host.Record)) {
	t.Helper()
	j, err := openJournal(dir, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	go j.serve()
	t.Cleanup(j.close)
	return j, func(r *host.Record) {
		done := make(chan struct{})
		j.write(r, func() { close(done) })
		<-done
	}
}

func reopen(t *testing.T, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	j.shut()
	return j
}

// fill writes records one by one and returns the file, where each record ends, and what the journal
// has behind each.
func fill(t *testing.T) (file []byte, ends []int, texts []string) {
	t.Helper()
	dir := t.TempDir()
	j, put := served(t, dir)
	note := func() {
		b, err := os.ReadFile(j.path)
		if err != nil {
			t.Fatal(err)
		}
		file, ends, texts = b, append(ends, len(b)), append(texts, j.text())
	}
	note()
	if _, err := j.boot(); err != nil {
		t.Fatal(err)
	}
	note()
	for _, r := range []*host.Record{record(1, "a", "b"), record(2, "b", "c"), record(3, "-a"),
		record(4, "d", "-b"), record(5, "a")} {
		put(r)
		note()
	}
	if _, err := j.boot(); err != nil {
		t.Fatal(err)
	}
	note()
	return file, ends, texts
}

// read is what a file holds, and how many of its bytes.
func read(t *testing.T, b []byte) (text string, whole int) {
	t.Helper()
	j := &journal{kept: map[string]host.Stored{}}
	whole, err := readEntries(b, j.apply)
	if err != nil {
		t.Fatal(err)
	}
	return j.text(), whole
}

// Wherever the file ends, what is read is the state behind the last whole record.
func TestATornTailIsCutOffAtEveryByte(t *testing.T) {
	file, ends, texts := fill(t)
	dir := t.TempDir()
	n := 0
	for cut := ends[0]; cut <= len(file); cut++ {
		for n+1 < len(ends) && ends[n+1] <= cut {
			n++
		}
		if got, whole := read(t, file[:cut]); got != texts[n] || whole != ends[n] {
			t.Fatalf("cut at %d of %d: %s in %d bytes, want %s in %d", cut, len(file), got, whole,
				texts[n], ends[n])
		}
		if cut-ends[n] > 1 && cut-ends[n] != headSize {
			continue
		}
		write(t, dir, file[:cut])
		if j := reopen(t, dir); j.text() != texts[n] || j.lost != int64(cut-ends[n]) {
			t.Fatalf("cut at %d: %s, %d bytes lost", cut, j.text(), j.lost)
		}
		if j := reopen(t, dir); j.text() != texts[n] || j.lost != 0 {
			t.Fatalf("cut at %d: %s at the second opening, %d bytes lost", cut, j.text(), j.lost)
		}
	}
}

func write(t *testing.T, dir string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "journal"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A flipped bit is found wherever it is: that record and what stands behind it do not count.
func TestAFlippedBitIsFound(t *testing.T) {
	file, ends, texts := fill(t)
	n := 0
	for bit := 8 * ends[0]; bit < 8*len(file); bit++ {
		at := bit / 8
		for n+1 < len(ends) && ends[n+1] <= at {
			n++
		}
		b := slices.Clone(file)
		b[at] ^= 1 << (bit % 8)
		if got, whole := read(t, b); got != texts[n] || whole != ends[n] {
			t.Fatalf("bit %d of byte %d flipped: %s in %d bytes, want %s in %d", bit%8, at, got,
				whole, texts[n], ends[n])
		}
	}
}

func TestARecordThatIsWholeButNonsenseIsAnError(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, seal(frame(nil, &entry{Boot: 1}), []byte(`{"rows":5}`)))
	_, err := openJournal(dir, nil)
	if err == nil || !strings.Contains(err.Error(), "open journal "+filepath.Join(dir, "journal")+
		": read record at byte 18: ") {
		t.Fatalf("error %v", err)
	}
}

// gate is a disk whose syncs wait until they are let through.
type gate struct {
	began chan struct{}
	pass  chan error
}

func (g *gate) sync(*os.File) error {
	g.began <- struct{}{}
	return <-g.pass
}

// What arrives while the disk syncs becomes one group, durable together; nobody is told before, and
// all are told in the order of writing.
func TestGroupsAreToldWhenTheyAreDurable(t *testing.T) {
	dir := t.TempDir()
	j, err := openJournal(dir, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{make(chan struct{}), make(chan error)}
	j.sync = g.sync
	go j.serve()
	defer j.close()
	told := make(chan int, 100)
	j.write(record(0, "a"), func() { told <- 0 })
	<-g.began
	for n := 1; n < 50; n++ {
		j.write(record(n, "a", fmt.Sprint("k", n)), func() { told <- n })
	}
	if got := j.text(); len(told) != 0 || got != "0:" {
		t.Fatalf("%d were told before the sync; rows %s", len(told), got)
	}
	g.pass <- nil
	<-g.began // the second group: all the rest
	if got := j.text(); len(told) != 1 || got != "0: a@0" {
		t.Fatalf("%d were told after the first sync; rows %s", len(told), got)
	}
	g.pass <- nil
	for n := range 50 {
		if got := <-told; got != n {
			t.Fatalf("told of %d, want %d", got, n)
		}
	}
	if b, err := os.ReadFile(j.path); err != nil || int64(len(b)) != j.size {
		t.Fatalf("%d bytes, counted %d: %v", len(b), j.size, err)
	}
}

// A bell that rings for nothing must not leave both queues in one memory: what is written while the
// next group is told would be lost.
func TestWhatIsWrittenBehindAnEmptyGroupIsKept(t *testing.T) {
	j, err := openJournal(t.TempDir(), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer j.shut()
	told := false
	j.write(record(0, "a"), func() {})
	j.flush()
	j.flush() // nothing is queued
	j.write(record(1, "b"), func() { j.write(record(2, "c"), func() { told = true }) })
	j.flush()
	j.flush()
	if got := j.text(); !told || got != "0: a@0 b@1 c@2" {
		t.Errorf("told: %v; rows %s", told, got)
	}
}

// A disk that fails is told once, and nobody is told that anything is durable from then on.
func TestADiskThatFails(t *testing.T) {
	broken := make(chan error, 10)
	j, err := openJournal(t.TempDir(), func(err error) { broken <- err })
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{make(chan struct{}), make(chan error)}
	j.sync = g.sync
	go j.serve()
	told := make(chan int, 10)
	j.write(record(1, "a"), func() { told <- 1 })
	<-g.began
	g.pass <- nil
	if n := <-told; n != 1 {
		t.Fatal(n)
	}
	j.write(record(2, "a", "b"), func() { told <- 2 })
	<-g.began
	g.pass <- errors.New("the disk is gone")
	if err := <-broken; !strings.Contains(err.Error(), "write journal "+j.path+": the disk is gone") {
		t.Fatal(err)
	}
	j.write(record(3, "c"), func() { told <- 3 })
	if _, err := j.boot(); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Fatalf("a boot was counted: %v", err)
	}
	j.close()
	if got := j.text(); len(told) != 0 || len(broken) != 0 || got != "1: a@1" {
		t.Fatalf("%d told, %d errors, rows %s", len(told), len(broken), got)
	}
}

// The file is written anew as it grows, and nothing is lost on the way, also rows of topics that
// nobody asks for.
func TestTheFileIsWrittenAnewAsItGrows(t *testing.T) {
	dir := t.TempDir()
	j, put := served(t, dir)
	j.sync = func(*os.File) error { return nil }
	if _, err := j.boot(); err != nil {
		t.Fatal(err)
	}
	put(&host.Record{Agent: "gone", Rows: []host.Stored{{Topic: "gone/T", Key: "x", Rev: 1,
		Val: json.RawMessage(`1`), Version: 3}}})
	big := json.RawMessage(`"` + strings.Repeat("x", 60<<10) + `"`)
	most := int64(0)
	for n := range 400 {
		put(&host.Record{Agent: "a", Rows: []host.Stored{{Topic: "a/T", Key: fmt.Sprint(n % 3),
			Rev: uint64(n), Val: big}}})
		info, err := os.Stat(j.path)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, info.Size())
	}
	if most > compactSize+1<<20 {
		t.Fatalf("the file grew to %d bytes", most)
	}
	const want = "1: 0@399 1@397 2@398 x@1"
	if got := j.text(); got != want {
		t.Fatalf("rows %s, want %s", got, want)
	}
	for range 3 {
		again := reopen(t, dir)
		if again.text() != want || again.rows()[3].Version != 3 || again.lost != 0 {
			t.Fatalf("rows %s, want %s; %d lost", again.text(), want, again.lost)
		}
	}
}

// More rows than one record takes, and more bytes, survive being written anew.
func TestManyRowsAreWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	_, put := served(t, dir)
	r := &host.Record{Agent: "a"}
	for n := range 3 * rewriteRows {
		r.Rows = append(r.Rows, host.Stored{Topic: "a/T", Key: fmt.Sprintf("%04d", n), Rev: 1,
			Val: json.RawMessage(`{}`)})
	}
	put(r)
	for range 2 {
		if got := len(reopen(t, dir).rows()); got != len(r.Rows) {
			t.Fatalf("%d of %d rows", got, len(r.Rows))
		}
	}
}

func BenchmarkDurable(b *testing.B) {
	j, err := openJournal(b.TempDir(), func(err error) { b.Error(err) })
	if err != nil {
		b.Fatal(err)
	}
	go j.serve()
	defer j.close()
	done := make(chan struct{}, 1)
	b.Run("single", func(b *testing.B) {
		for n := range b.N {
			j.write(record(n, "a"), func() { done <- struct{}{} })
			<-done
		}
	})
	b.Run("grouped", func(b *testing.B) {
		for n := range b.N {
			then := func() {}
			if n == b.N-1 {
				then = func() { done <- struct{}{} }
			}
			j.write(record(n, "a"), then)
		}
		<-done
	})
}

// What is written behind the end is not taken, and nobody is told of it.
func TestWhatIsWrittenBehindTheEndIsNotTaken(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		j, err := openJournal(dir, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		j.start()
		told := make(chan int, 2)
		j.write(record(0, "a"), func() { told <- 0 })
		j.close()
		j.write(record(1, "b"), func() { told <- 1 })
		if got := j.text(); len(told) != 1 || got != "0: a@0" {
			t.Errorf("%q: %d were told; rows %s", dir, len(told), got)
		}
	}
}
