package logspool

import (
	"strings"
	"testing"
)

// Names say what they are of, and nothing else is taken for one.
func TestNames(t *testing.T) {
	const app = "3e7a2f0c-5d4b-4c1e-9a55-6d1c1f2b7a01"
	for name, want := range map[string]string{"dev.log.upload.17": Device,
		"app." + app + ".log.17": app} {
		stream, ms, ok := Parse(name)
		if !ok || stream != want || ms != 17 || Name(stream, ms) != name {
			t.Errorf("%s is %q, %d, %v", name, stream, ms, ok)
		}
	}
	for _, name := range []string{"", "dev.log.upload.", "dev.log.upload.-1", "dev.log.upload.01",
		"dev.log.upload.1.gz", "dev.log.keep.1", "app..log.1", "app.x.log.", "TempFile1"} {
		if _, _, ok := Parse(name); ok {
			t.Errorf("%q is taken for a file of the spool", name)
		}
	}
}

// What waits is bounded, and what does not fit is counted.
func TestTheQueueIsBounded(t *testing.T) {
	q := Queue{Limit: 10}
	for i, want := range [][2]bool{{true, false}, {false, true}, {false, true}, {false, true}} {
		first, half := q.Add(Line{Text: []byte("four")})
		if first != want[0] || half != want[1] {
			t.Errorf("line %d: first %v, half %v", i, first, half)
		}
	}
	if lines, dropped := q.Take(); len(lines) != 2 || dropped != 2 {
		t.Errorf("%d lines wait, %d are dropped", len(lines), dropped)
	}
	if lines, dropped := q.Take(); len(lines) != 0 || dropped != 0 {
		t.Errorf("then %d lines wait, %d are dropped", len(lines), dropped)
	}
}

// However a console is cut into pieces, its lines are the same.
func TestPiecesOfAConsole(t *testing.T) {
	text := "a\r\n\n" + strings.Repeat("b", LongestLine) + "\n" +
		strings.Repeat("c", LongestLine+1) + "\nd\n"
	want := []string{"a", "", strings.Repeat("b", LongestLine), strings.Repeat("c", LongestLine), "c",
		"d"}
	for _, size := range []int{1, 7, LongestLine, len(text)} {
		var got []string
		s := Splitter{Line: func(l string) { got = append(got, l) }}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if _, err := s.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("in pieces of %d there are %d lines, want %d", size, len(got), len(want))
		}
	}
}

// A small disk has small files, so that never half of them goes at once.
func TestLimitsOfDisks(t *testing.T) {
	for disk, want := range map[int64]Limits{
		1 << 40: {Roll: 550_000, Age: rollAge, Quota: 2 << 30, Count: 42949, Sync: 30},
		1 << 30: {Roll: 550_000, Age: rollAge, Quota: 1 << 30 / 10, Count: 2147, Sync: 30},
		4 << 20: {Roll: 104857, Age: rollAge, Quota: 419430, Count: 8, Sync: 30}} {
		if got := LimitsFor(disk); got != want {
			t.Errorf("a disk of %d bytes: %+v, want %+v", disk, got, want)
		}
	}
}
