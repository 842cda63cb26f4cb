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
	mu  sync.Mutex
	out io.Writer
	pid int
}

func newLines(out io.Writer) *lines { return &lines{out: out, pid: os.Getpid()} }

// write writes a line; from any goroutine.
func (l *lines) write(level agent.Level, source, about, text string) {
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
