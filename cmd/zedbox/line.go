package main

import (
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// lines writes log lines as EVE has them: one JSON object each.
type lines struct {
	mu  *sync.Mutex // of out
	out io.Writer
	pid int
	// kept takes each line, too; may be nil.
	kept func(from string, l agent.Line)
}

func newLines(out io.Writer) *lines {
	return &lines{mu: &sync.Mutex{}, out: out, pid: os.Getpid()}
}

// keep is for lines that are kept, too.
func (l *lines) keep(kept func(from string, l agent.Line)) *lines {
	return &lines{mu: l.mu, out: l.out, pid: l.pid, kept: kept}
}

// write writes a line; from any goroutine.
func (l *lines) write(level agent.Level, source, about, text string) {
	if l.kept != nil {
		l.kept(source, agent.Line{Level: level, About: about, Text: text})
	}
	b, err := json.Marshal(struct {
		Time   string `json:"time"`
		Level  string `json:"level"`
		Source string `json:"source"`
		PID    int    `json:"pid"`
		About  string `json:"obj_key,omitempty"`
		Msg    string `json:"msg"`
	}{time.Now().UTC().Format(time.RFC3339Nano), level.String(), source, l.pid, about, text})
	if err != nil {
		panic("zedbox: encode a line: " + err.Error())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.out.Write(append(b, '\n')) // who reads the lines may have gone
}

// OnLine takes a line of an agent or of the host.
func (l *lines) OnLine(from string, _ time.Duration, x agent.Line) {
	l.write(x.Level, from, x.About, x.Text)
}
