package zedagent

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

const workKey = "work"

// work is what the agent is at; a crash of the agent loses it, and it starts over.
type work struct {
	// Asking is true while a configuration is asked for; Asked counts the requests.
	Asking bool
	Asked  int
	// Hash stands for the configuration that is in force, in the controller's words; empty asks for
	// all of it.
	Hash string
	// Ended is when the newest request was over, Next when the next is due, drawn for Interval.
	Ended, Next, Interval time.Duration
	Failed                bool
	Status                controllerconn.SenderStatus // of the newest request
	// Online is whether there was a way to the controller when last looked at.
	Online bool
	// Reading is true while the saved configuration is to be read, Backup which copy of it.
	Reading, Backup bool
	// Saved is the SHA-256 of the newest envelope that was applied, SavedAt when that was.
	Saved   string
	SavedAt time.Duration
	Certs   certWork
}

// Key is "work".
func (work) Key() string { return workKey }

// certWork is what the fetch of certificates is at.
type certWork struct {
	Asking   bool
	Asked    int
	Due      bool // asked for by somebody, next to the schedule
	Failed   bool
	Next     time.Duration
	Interval time.Duration
	Done     bool   // fetched since the agent's start
	Body     []byte // the list in force as far as it is to be saved; nil if nothing is
}

// state is what must outlive a crash of the agent, until the device boots again.
type state struct {
	GetStatus node.ConfigGetStatus
	// Received and Processed are wall times of the newest configuration that came, and of the newest
	// that was applied whole.
	Received, Processed time.Time
	// Got is true once a configuration of this boot, or the saved one, was read.
	Got, GotSaved bool
	// Stamp is the newest config_timestamp that was accepted: an older one is a replay.
	Stamp     time.Time
	Version   string
	Epoch     int64
	CertsHash string
	// Asked is the API's wish for maintenance; Maintenance whether it is in force.
	AskedMaintenance, Maintenance bool
	// Commands that are under way, or wait for the end of an update's test.
	Reboot, Shutdown, LateReboot, LateShutdown bool
	Error                                      entity.ErrorDescription
	// Spoiled is what is wrong with the files of the installer, in one or more lines.
	Spoiled string
	// Checked is when the UUID was last doubted, since boot; 0: never.
	Checked time.Duration
}

// Key is "global".
func (state) Key() string { return entity.Global }

// counter is the newest counter of a command, stored before the command is carried out.
type counter struct {
	Command string // "reboot", "shutdown"
	Counter uint32
}

// Key is the command.
func (c counter) Key() string { return c.Command }

// section is the checksum of a part of the configuration as it was last parsed, and what was
// wrong with it that has no row of its own.
type section struct {
	Name   string
	Sum    string
	Errors []string
}

// Key is the section's name.
func (s section) Key() string { return s.Name }

var (
	conn  = controllerconn.Declare("zedagent")
	works = bus.NewTopic[work](bus.Decl{
		Owner: "zedagent", Name: "Work", Life: bus.Local, MaxBytes: 2 << 20})
	sections = bus.NewTopic[section](bus.Decl{Owner: "zedagent", Name: "Section", Life: bus.Local})
	states   = bus.NewTopic[state](bus.Decl{Owner: "zedagent", Name: "ConfigState"})
	counters = bus.NewTopic[counter](bus.Decl{
		Owner: "zedagent", Name: "DeviceOpsCmd", Life: bus.Persistent})
)
