package spool

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
	"github.com/evetwin/evetwin/core/logspool"
)

// killed names the folder of a process of this test that says lines until it is killed.
const killed = "EVETWIN_SPOOL_KILLED"

func TestMain(m *testing.M) {
	if root := os.Getenv(killed); root != "" {
		say(root)
		return
	}
	goleak.VerifyTestMain(m)
}

// hardware is a device with the part alone.
type hardware struct{ *Part }

// Wire wires it.
func (h hardware) Wire(k *host.Kernel, _ host.Machine) { h.Part.Wire(k) }

// Cut does nothing.
func (hardware) Cut(func(string) uint64) {}

// started runs a device with a part until the returned function is called.
func started(p *Part) (stop func() error, err error) {
	d, err := live.New(live.Options{Name: "edge", Hardware: hardware{p}})
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	if err := d.Do(ctx, func(*host.Kernel) {}); err != nil {
		end()
		return nil, err
	}
	return func() error {
		end()
		err := <-ended
		p.Close()
		return err
	}, nil
}

// wired is a device with a part, until the test ends.
func wired(t *testing.T, o Options) *Part {
	t.Helper()
	if o.OnError == nil {
		o.OnError = func(err error) { t.Error(err) }
	}
	p := New(o)
	stop, err := started(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// entries are those of the device's files, oldest first; all lines must be whole.
func entries(t *testing.T, root string) (out []logspool.Entry) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, Dir, "dev.log.upload.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		if lines[len(lines)-1] != "" {
			t.Errorf("%s ends with %q", path, lines[len(lines)-1])
		}
		for _, l := range lines[1 : len(lines)-1] {
			var e logspool.Entry
			if err := json.Unmarshal([]byte(l), &e); err != nil {
				t.Errorf("%s has %q: %v", path, l, err)
			}
			out = append(out, e)
		}
	}
	return out
}

// say is the process: it tells of each line that was written.
func say(root string) {
	p := New(Options{Root: root, OnError: func(err error) { panic(err) }})
	if _, err := started(p); err != nil {
		panic(err)
	}
	for n := 0; ; n++ {
		p.Line("nim", agent.Line{Level: agent.Info, Text: fmt.Sprint(n)})
		if n%10 == 9 {
			p.Flush()
			fmt.Println(n)
		}
	}
}

// A process that is killed leaves all that it had written, in whole lines, and the next goes on.
func TestKilledAmidLines(t *testing.T) {
	root := t.TempDir()
	for life := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killed+"="+root)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		written := ""
		for s := bufio.NewScanner(out); s.Scan(); {
			written = s.Text()
			if len(written) > 2 { // 100 lines and more
				break
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
		p := wired(t, Options{Root: root})
		p.Line("test", agent.Line{Text: fmt.Sprint("life ", life)})
		p.Flush()
		got := entries(t, root)
		have := map[string]bool{}
		for _, e := range got {
			have[e.Content] = true
		}
		if !have[written] || got[len(got)-1].Content != fmt.Sprint("life ", life) {
			t.Errorf("life %d: line %s is there: %v; the last is %+v", life, written, have[written],
				got[len(got)-1])
		}
	}
}

// Lines of many goroutines all come, each whole, also those said before the part is wired.
func TestLinesOfManyGoroutines(t *testing.T) {
	root := t.TempDir()
	p := New(Options{Root: root, OnError: func(err error) { t.Error(err) }})
	p.Line("early", agent.Line{Text: "before the boot"})
	stop, err := started(p)
	if err != nil {
		t.Fatal(err)
	}
	const each = 500
	var saying sync.WaitGroup
	for n := range 8 {
		saying.Go(func() {
			w := p.Console(fmt.Sprint("app-", n))
			for i := range each {
				p.Line(fmt.Sprint("agent-", n), agent.Line{Text: fmt.Sprint(i)})
				fmt.Fprintln(w, i)
			}
		})
	}
	saying.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	next, got := map[string]int{}, entries(t, root)
	for _, e := range got[1:] {
		if e.Content != fmt.Sprint(next[e.Source]) {
			t.Fatalf("%s says %q, want line %d", e.Source, e.Content, next[e.Source])
		}
		next[e.Source]++
	}
	if len(got) != 1+8*each || got[0].Source != "early" {
		t.Errorf("there are %d lines, the first %+v", len(got), got[0])
	}
	apps, err := filepath.Glob(filepath.Join(root, Dir, "app.app-*.log.*"))
	if err != nil || len(apps) != 8 {
		t.Errorf("there are files %v of applications, %v", apps, err)
	}
}

// Nobody has to ask for a line to be written, within a second.
func TestLinesAreWrittenSoon(t *testing.T) {
	root, wrote := t.TempDir(), make(chan time.Time, 1)
	said := time.Now()
	p := wired(t, Options{Root: root, Device: func() logspool.Bundle { // asked for each new file
		wrote <- time.Now()
		return logspool.Bundle{DevID: "id", Image: "IMGA"}
	}})
	p.Line("nim", agent.Line{Text: "hello"})
	select {
	case at := <-wrote:
		if d := at.Sub(said); d > 1500*time.Millisecond { // on a machine that has much to do
			t.Errorf("the line is written after %v", d)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the line is not written")
	}
	p.Flush()
	paths, err := filepath.Glob(filepath.Join(root, Dir, "*"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	text, err := os.ReadFile(paths[0])
	const head = `{"devID":"id","image":"IMGA","eveVersion":""}` + "\n"
	if err != nil || !strings.HasPrefix(string(text), head) {
		t.Errorf("the file is %q, %v", text, err)
	}
}

// A folder that cannot be made is told once, and costs lines alone.
func TestNoFolder(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "persist"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 99)
	p := wired(t, Options{Root: root, OnError: func(err error) { errs <- err }})
	for range 3 {
		p.Line("nim", agent.Line{Text: "lost"})
		p.Flush()
	}
	if len(errs) != 1 {
		t.Errorf("it is told %d times", len(errs))
	}
	if err := os.Remove(filepath.Join(root, "persist")); err != nil {
		t.Fatal(err)
	}
	p.Line("nim", agent.Line{Text: "kept"})
	p.Flush()
	if got := entries(t, root); len(got) != 1 || got[0].Content != "kept" {
		t.Errorf("then there is %+v", got)
	}
}
