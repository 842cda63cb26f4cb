// Package corpus replays what once failed: each file names a scenario and a seed, and what went
// wrong then. A mended defect stays here, so that it cannot come back unseen.
package corpus

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"path"

	"github.com/evetwin/evetwin/core/fault"
)

// Case is a run that once failed.
type Case struct {
	// File is its name in this folder.
	File string `json:"-"`
	// Scenario and Seed say what to run.
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	// Shaken says that agents are rebuilt before one turn in three and every other turn is followed by
	// a full one, which must change nothing.
	Shaken bool `json:"shaken,omitempty"`
	// Faults are what goes wrong around the devices; they stand for themselves, whatever drew them.
	Faults []fault.Fault `json:"faults,omitempty"`
	// Branches are where the run took on the draws of other seeds, in order: it is a fork.
	Branches []Branch `json:"branches,omitempty"`
	// Without are parts of the scenario that are left out.
	Without []string `json:"without,omitempty"`
	// Until is when the run ends, in seconds since it began: what failed failed by then. 0: the
	// scenario's own end, and all that must have come true behind it.
	Until fault.Seconds `json:"until_s,omitempty"`
	// Plant is the mistake of core/plant that was planted, empty if none was.
	Plant string `json:"plant,omitempty"`
	// Commit is where it failed, Rule what was violated, Story what the reason was.
	Commit string `json:"commit"`
	Rule   string `json:"rule"`
	Story  string `json:"story"`
}

// Branch is an instant from which a run goes on with the draws of another seed.
type Branch struct {
	// At is since the run began.
	At fault.Seconds `json:"at_s"`
	// Seed is what the draws are mixed with from there on.
	Seed uint64 `json:"seed"`
}

// CheckBranches finds the first branch that makes no sense; where names the list.
func CheckBranches(where string, list []Branch) error {
	last := fault.Seconds(0)
	for i, b := range list {
		if !(b.At > 0 && b.At >= last && b.At.Duration() > 0) || math.IsInf(float64(b.At), 0) {
			return fmt.Errorf("%s: branches[%d].at_s: %g does not come after %g", where, i, float64(b.At),
				float64(last))
		}
		last = b.At
	}
	return nil
}

//go:embed *.json
var files embed.FS

// Cases are all cases, by file name.
func Cases() ([]Case, error) {
	list, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("read the corpus: %w", err)
	}
	var out []Case
	for _, e := range list {
		b, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the corpus: %w", err)
		}
		c, err := Read(e.Name(), b)
		if err != nil {
			return nil, err
		}
		out = append(out, *c)
	}
	return out, nil
}

// Read reads a case strictly: what nobody knows, or a fault that makes no sense, is an error that
// names the file.
func Read(file string, data []byte) (*Case, error) {
	c := &Case{File: path.Base(file)}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("read case %s: %w", file, err)
	}
	if c.Scenario == "" {
		return nil, fmt.Errorf("read case %s: it names no scenario", file)
	}
	if !(c.Until >= 0) || math.IsInf(float64(c.Until), 0) {
		return nil, fmt.Errorf("read case %s: until_s: %g is no time", file, float64(c.Until))
	}
	p := fault.Plan{Seed: c.Seed, Faults: c.Faults}
	if err := p.Check(file); err != nil {
		return nil, fmt.Errorf("read case: %w", err)
	}
	if err := CheckBranches(file, c.Branches); err != nil {
		return nil, fmt.Errorf("read case: %w", err)
	}
	return c, nil
}
