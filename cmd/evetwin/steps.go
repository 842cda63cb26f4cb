package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/evetwin/evetwin/core/agent"
)

// steps prints a line per step of a device, each step once.
type steps struct {
	mu     sync.Mutex
	out    io.Writer
	asJSON io.Writer // nil unless --json
	quiet  bool
	began  time.Time
	said   map[string]bool
}

func newSteps(errs, out io.Writer, asJSON, quiet bool) *steps {
	s := &steps{out: out, quiet: quiet, began: time.Now(), said: map[string]bool{}}
	if asJSON {
		s.out, s.asJSON = errs, out
	}
	return s
}

// stepLine is a step for scripts, with what it told in its text.
type stepLine struct {
	AtS       float64 `json:"at_s"`
	Step      string  `json:"step"`
	URL       string  `json:"url,omitempty"`
	AdminURL  string  `json:"admin_url,omitempty"`
	TokenFile string  `json:"token_file,omitempty"`
	UUID      string  `json:"uuid,omitempty"`
}

func (s *steps) say(format string, args ...any) { s.tell(stepLine{}, format, args...) }

// tell prints a step that has something for scripts.
func (s *steps) tell(l stepLine, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.Step = fmt.Sprintf(format, args...)
	s.print(l)
}

func (s *steps) print(l stepLine) {
	l.AtS = time.Since(s.began).Seconds()
	if s.asJSON != nil {
		line(s.asJSON, l)
		return
	}
	if !s.quiet {
		fmt.Fprintf(s.out, "%6.1f s  %s\n", l.AtS, clean(l.Step))
	}
}

// once prints a line that was not printed before.
func (s *steps) once(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if !s.said[text] {
		s.said[text] = true
		s.print(stepLine{Step: text})
	}
}

// progress prints the states of a piece of content.
func (s *steps) progress(name, state string, have, size int64) {
	if size > 0 && (state == "DOWNLOADED" || state == "LOADED") {
		s.once("content %s is %s, %d of %d bytes", name, state, have, size)
		return
	}
	s.once("content %s is %s", name, state)
}

// logLine prints what an agent complains about.
func (s *steps) logLine(from string, _ time.Duration, l agent.Line) {
	if l.Level >= agent.Err {
		s.once("%s: %s", from, l.Text)
	}
}

// speak ends the silence on a terminal.
func (s *steps) speak() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = false
}

// clean keeps characters of names that steer a terminal away from it.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) && r != '\n' {
			return '?'
		}
		return r
	}, text)
}
