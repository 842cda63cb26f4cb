package vmm

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// TestGate has a process become its program only by the word, under the number that it had before.
func TestGate(t *testing.T) {
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	mark := filepath.Join(dir, "mark")
	c := qemu.Command{Args: []string{"-c", "echo $$ $(readlink /proc/self/fd/3) >" + mark + "; false"},
		Files: []*os.File{log}}
	for _, word := range []bool{false, true} {
		g, err := spawn("", "sh", c, log)
		if err != nil {
			t.Fatal(err)
		}
		p, err := hold(g.id)
		if err != nil || p == nil {
			t.Fatalf("a process that waits is not there: %v", err)
		}
		if word {
			err = g.release()
		} else {
			g.cancel() // as our end would
		}
		if err != nil || !p.endsWithin(endLimit) {
			t.Fatalf("the process does not end: %v", err)
		}
		p.release()
		if again, err := hold(g.id); err != nil || again != nil {
			t.Errorf("a process that has ended is there: %v, %v", again, err)
		}
		text, err := os.ReadFile(mark)
		if (err == nil) != word {
			t.Errorf("with word %v the program ran: %q, %v", word, text, err)
		}
		if fields := strings.Fields(string(text)); word && (len(fields) != 2 || fields[1] != log.Name()) {
			t.Errorf("the program has %q, want its number and the file %s", text, log.Name())
		} else if word && fields[0] != strconv.Itoa(g.id.PID) {
			t.Errorf("process %d became %s", g.id.PID, fields[0])
		}
	}
}
