package board

import (
	"encoding/json"
	"io"
	"os"

	"github.com/evetwin/evetwin/backends/linux/spool"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/logspool"
)

// onboarded is the file by which the hub shows whose device it is.
const onboarded = "persist/status/zedclient/OnboardingStatus/global.json"

// Log is the part log, for those who have lines to say.
func (b *Board) Log() *spool.Part { return b.log }

// wrong is told by a part of what goes wrong: a line of the log, too.
func (b *Board) wrong(part string) func(error) {
	return func(err error) {
		b.o.OnError(part, err)
		b.log.Line(part, agent.Line{Level: agent.Warn, Text: err.Error()})
	}
}

// console is where the console of an application's guest goes.
func (b *Board) console(app string) io.Writer {
	kept := b.log.Console(app)
	if b.o.Guest == nil {
		return kept
	}
	return io.MultiWriter(b.o.Guest(app), kept)
}

// bundle is what files of the device's lines say of it, as far as it is known.
func (b *Board) bundle() (out logspool.Bundle) {
	var row struct{ DeviceUUID string }
	if text, err := os.ReadFile(b.in(onboarded)); err == nil && json.Unmarshal(text, &row) == nil {
		out.DevID = row.DeviceUUID
	}
	if label, err := b.current(); err == nil {
		out.Image = label
	}
	return out
}
