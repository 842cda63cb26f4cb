package logspool

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Entry is a line of the log, EVE's LogEntry.
type Entry struct {
	// Severity is a word of package agent's levels, Source who says it, an agent or "guest".
	Severity string `json:"severity"`
	Source   string `json:"source"`
	// IID is the process, for guests the application.
	IID     string `json:"iid,omitempty"`
	Content string `json:"content"`
	// MsgID numbers the entries of a boot.
	MsgID uint64 `json:"msgid,string,omitempty"`
	// Tags has the entity that the line is about, as "obj_key".
	Tags      map[string]string `json:"tags,omitempty"`
	Timestamp time.Time         `json:"timestamp"`
}

// NewEntry is what an agent or a part says.
func NewEntry(from string, at time.Time, l agent.Line) Entry {
	e := Entry{Severity: l.Level.String(), Source: from, Content: l.Text,
		Timestamp: at.UTC()}
	if l.About != "" {
		e.Tags = map[string]string{"obj_key": l.About}
	}
	return e
}

// Bytes is the entry as it stands in a file, with the end of its line.
func (e *Entry) Bytes() []byte { return line(e) }

// Bundle is the first line of the device's files, EVE's LogBundle.
type Bundle struct {
	// DevID is the device's UUID, Image the partition that runs, EVEVersion what is on it; each is
	// empty as long as nobody knows.
	DevID      string `json:"devID"`
	Image      string `json:"image"`
	EVEVersion string `json:"eveVersion"`
}

// Bytes is the line.
func (b Bundle) Bytes() []byte { return line(b) }

// AppHead is the first line of an application's files.
func AppHead(app string) []byte { return []byte(app + "\n") }

// line is a value as a line of JSON.
func line(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("logspool: encode a line: " + err.Error())
	}
	return b.Bytes()
}
