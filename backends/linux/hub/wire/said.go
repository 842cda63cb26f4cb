package wire

import (
	"encoding/binary"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// maxLine bounds what is sent of the text of a log line, in bytes.
const maxLine = 8 << 10

// Line is a log line of a process.
type Line struct {
	// From is the agent that wrote it, or "host".
	From string
	// At is the time since boot.
	At time.Duration
	agent.Line
}

// AppendLine encodes a line as a frame; a text that is too long loses its end.
func AppendLine(b []byte, l *Line) []byte {
	b, at := Begin(b, KindLine)
	b = appendText(b, l.From)
	b = binary.AppendUvarint(b, uint64(l.At))
	b = append(b, byte(l.Level))
	b = appendText(b, l.About)
	return End(append(b, l.Text[:min(len(l.Text), maxLine)]...), at)
}

// ReadLine decodes the body of a KindLine.
func ReadLine(b []byte) (Line, error) {
	r := &body{b: b}
	l := Line{From: r.text(), At: time.Duration(r.uint())}
	l.Level = min(agent.Level(r.byte()), agent.Err)
	l.About = r.text()
	l.Text = string(r.b)
	return l, r.err
}

// Condition is how an agent does.
type Condition byte

// Conditions of agents.
const (
	Well    Condition = iota
	Slow              // takes turns too long or too often
	GivenUp           // broke too often, and takes no turn until the next boot
)

// Health is how an agent does, and why.
type Health struct {
	// Agent is its number in Hello.
	Agent     int
	Condition Condition
	Why       string
}

// AppendHealth encodes a health as a frame.
func AppendHealth(b []byte, h *Health) []byte {
	b, at := Begin(b, KindHealth)
	b = binary.AppendUvarint(b, uint64(h.Agent))
	b = append(b, byte(h.Condition))
	return End(appendText(b, h.Why), at)
}

// ReadHealth decodes the body of a KindHealth.
func ReadHealth(b []byte) (Health, error) {
	r := &body{b: b}
	h := Health{Agent: int(r.uint()), Condition: min(Condition(r.byte()), GivenUp), Why: r.text()}
	return h, r.err
}
