package zedagent

import (
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/topics/config"
)

// maxSpoiled bounds, in bytes, what is told of one of the installer's files.
const maxSpoiled = 500

// spoiled notes what is wrong with a file of the installer. It stays until the device boots again:
// the file is read before there is a controller that could be told, and not again after.
func (x *turn) spoiled(text string) {
	if len(text) > maxSpoiled {
		text = strings.ToValidUTF8(text[:maxSpoiled], "") + "..."
	}
	switch {
	case strings.Contains(x.s.Spoiled, text):
		return // said while another file was waited for
	case x.s.Spoiled != "":
		x.s.Spoiled += "\n" + text
	default:
		x.s.Spoiled = text
	}
	x.log(agent.Err, text)
}

// globalItems reads settings of the installer, nil if there are none; known is false while the
// file is being read. A file that is wrong anywhere is not used at all.
func (x *turn) globalItems() (items []config.Value, known bool) {
	data, known := x.content(globalFile)
	switch f := x.a.files.Get(keyOf(globalFile)); {
	case !known, f == nil:
		return nil, known
	case f.Size == 0:
		x.spoiled(globalFile + ": it is empty")
		return nil, true
	}
	if call := x.a.read.Get(keyOf(globalFile)); call.Phase == agent.Failed {
		x.spoiled(globalFile + ": " + call.Fault.Text)
		return nil, true
	}
	items, err := readGlobal(data)
	if err != nil {
		x.spoiled(globalFile + ": " + err.Error())
		return nil, true
	}
	return items, true
}

// notTaken notes settings of a file of the installer that were not taken.
func (x *turn) notTaken(file string, s *config.ItemStatus) {
	text := ""
	for _, e := range s.Errors {
		text += "\n" + file + ": " + strconv.Quote(e.Key) + ": " + e.Error
	}
	if text != "" {
		x.spoiled(text[1:])
	}
}
