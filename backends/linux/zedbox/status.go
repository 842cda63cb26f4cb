package zedbox

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// State is what a process is at.
type State string

// States of a process.
const (
	Starting State = "starting" // begun, not ready
	Running  State = "running"
	Waiting  State = "waiting" // has died, begins again when its wait is over
	Stopped  State = "stopped"
	Lost     State = "lost" // of a status whose supervisor has gone
)

// Process is what the supervisor knows of a process.
type Process struct {
	Name string `json:"name"`
	// PID is 0 while there is none.
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
	// Restarts counts how often it was started again, Reason is why it ended the last time.
	Restarts int    `json:"restarts"`
	State    State  `json:"state"`
	Reason   string `json:"reason,omitempty"`
}

// Status is what the supervisor knows.
type Status struct {
	// PID is the supervisor.
	PID    int       `json:"pid"`
	Hub    Process   `json:"hub"`
	Agents []Process `json:"agents"`
	Parts  []Part    `json:"parts"`
}

// Part is a part of the device's hardware, and what it is made of.
type Part struct {
	Name string `json:"part"`
	// Kind is "linux" or "model", or "none" where there is nothing of it.
	Kind string `json:"kind"`
	// Why says what it stands on, or why it is a model.
	Why string `json:"why,omitempty"`
}

// ReadStatus reads what the supervisor of a device said last, and holds it against the processes
// that live.
func ReadStatus(r Root) (*Status, error) {
	var s Status
	if err := load(r.StatusFile(), &s); err != nil {
		return nil, fmt.Errorf("no device runs in %s: %w", r, err)
	}
	pid, err := Alive(r, Steps)
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		s.PID = 0
		s.Hub.State = Lost
		for i := range s.Agents {
			s.Agents[i].State = Lost
		}
	}
	// A hub that has not begun has said nothing yet.
	_ = load(r.PartsFile(), &s.Parts)
	return &s, nil
}

func load(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// WriteStatus says what the supervisor knows.
func WriteStatus(r Root, s *Status) error { return save(r.StatusFile(), s) }

// WriteParts says what the hub is made of.
func WriteParts(r Root, list []Part) error { return save(r.PartsFile(), list) }

func save(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		panic("zedbox: encode status: " + err.Error())
	}
	// Nobody waits for the disk: the file is for this boot.
	err = os.WriteFile(path+".fresh", b, 0o600)
	if err == nil {
		err = os.Rename(path+".fresh", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
