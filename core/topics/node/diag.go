package node

import "github.com/evetwin/evetwin/core/bus"

// DiagLevel is how good the news of a line is.
type DiagLevel uint8

// Levels, best first.
const (
	DiagPass DiagLevel = iota
	DiagNote
	DiagWarning
	DiagError
)

// String is the level as diag prints it before a line.
func (l DiagLevel) String() string {
	return [...]string{"PASS", "INFO", "WARNING", "ERROR"}[min(l, DiagError)]
}

// DiagLine is one line of a section, without its level.
type DiagLine struct {
	Level DiagLevel
	Text  string
}

// DiagSection is a part of the report on the device's connectivity, for its console. Owner: diag.
type DiagSection struct {
	// Name is "1-summary", "2-configurations", "3-port-<label>" or "4-controller"; sorts as shown.
	Name  string
	Level DiagLevel // the worst of the lines
	Lines []DiagLine
}

// Key is the name.
func (s DiagSection) Key() string { return s.Name }

// Diag is diag's topic of sections, in the order in which they are shown.
var Diag = bus.NewTopic[DiagSection](bus.Decl{Owner: "diag", Name: "DiagSection", MaxRows: 300,
	MaxPuts: 1000}) // it follows links, which flap
