package boxtest_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/core/trace/replay"
)

// replays wants the recordings of a folder to have all agents, each from its first start and from
// its second, and to be replayed without a difference. What was killed leaves a torn end.
func replays(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.ev"))
	if err != nil {
		t.Fatal(err)
	}
	starts, turns := map[string]int{}, map[string]uint64{}
	for _, path := range files {
		name := agentOf(filepath.Base(path))
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var res replay.Result
		r, err := trace.NewReader(f)
		if err == nil {
			res, err = replay.Run(r, replay.Options{Agents: roster.Agents()})
		}
		if e := f.Close(); e != nil {
			t.Error(e)
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Errorf("replay %s: %v", filepath.Base(path), err)
		}
		if res.First != nil || res.Passed > 0 {
			t.Errorf("replay %s: %d turns passed over, the first difference is %v", filepath.Base(path),
				res.Passed, res.First)
		}
		starts[name]++
		turns[name] += res.Turns
	}
	for _, e := range roster.Agents() {
		if starts[e.Name] != 2 || turns[e.Name] == 0 {
			t.Errorf("%s has %d recordings with %d turns, want two", e.Name, starts[e.Name],
				turns[e.Name])
		}
	}
}

// agentOf is whose recording a file is: its name goes on with the numbers of process and recording.
func agentOf(file string) string {
	name := file[:strings.LastIndex(file, "-")]
	return name[:strings.LastIndex(name, "-")]
}
