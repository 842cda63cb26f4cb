package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/google/renameio/v2"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// version is that of the format. A file of another one is refused.
const version = 1

// Snapshot is a run at an instant.
type Snapshot struct {
	// Version is that of the format of the file.
	Version int `json:"version"`
	Life
	// At is the instant, since the run began: all that happens earlier has happened.
	At fault.Seconds `json:"at_s"`
	// Trace is the hash of the trace at the instant, as "evetwin run" prints it.
	Trace string `json:"trace"`
	// Commit is the code that came there.
	Commit string `json:"commit"`
}

var traceForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Read reads a snapshot strictly: what nobody knows, or makes no sense, is an error that names the
// file.
func Read(file string, data []byte) (*Snapshot, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("read snapshot %s: %w", file, err)
	}
	if head.Version != version {
		return nil, fmt.Errorf("read snapshot %s: its version is %d, this program reads %d", file,
			head.Version, version)
	}
	s := &Snapshot{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("read snapshot %s: %w", file, err)
	}
	if err := s.check(file); err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return s, nil
}

func (s *Snapshot) check(file string) error {
	switch p := s.Plan(); {
	case s.Scenario == "":
		return fmt.Errorf("%s: scenario: it names none", file)
	case !(s.At > 0 && s.At.Duration() > 0):
		return fmt.Errorf("%s: at_s: %g is not behind the beginning", file, float64(s.At))
	case !traceForm.MatchString(s.Trace):
		return fmt.Errorf("%s: trace: %q is no hash of 16 hex digits", file, s.Trace)
	default:
		if err := p.Check(file); err != nil {
			return err
		}
	}
	if err := corpus.CheckBranches(file, s.Branches); err != nil {
		return err
	}
	if n := len(s.Branches); n > 0 && s.Branches[n-1].At >= s.At {
		return fmt.Errorf("%s: branches[%d].at_s: %g does not lie before the instant, %g", file, n-1,
			float64(s.Branches[n-1].At), float64(s.At))
	}
	return nil
}

// Arrival is where a run goes on from a snapshot; it stands around the run.
type Arrival struct {
	*scenario.Instant
	strayed bool
}

// Strayed reports whether the run came to another state than the saved one. Its error says so, and
// nothing else of it means anything.
func (a *Arrival) Strayed() bool { return a.strayed }

// Arrive holds a run that goes on from the snapshot to its hash at the instant; now is the commit
// of this code. Another hash ends the run.
func (s *Snapshot) Arrive(now string) *Arrival {
	a := &Arrival{}
	a.Instant = scenario.At(s.At.Duration(), func(w scenario.World) error {
		if got := traceOf(w); got != s.Trace {
			a.strayed = true
			return fmt.Errorf("the code of %s no longer comes to the saved state: at %v the trace is %s, "+
				"and the code of %s came to %s", commitName(now), s.At.Duration(), got,
				commitName(s.Commit), s.Trace)
		}
		return nil
	})
	return a
}

func commitName(c string) string {
	if c == "" {
		return "an unknown commit"
	}
	return "commit " + c
}

func traceOf(w scenario.World) string { return fmt.Sprintf("%016x", w.Sim.Trace()) }

// Saver takes a snapshot of a run when it comes to an instant.
type Saver struct {
	*scenario.Instant
	s *Snapshot
}

// Save makes a saver for a run of a life by the code of a commit; it stands around the run.
func Save(l Life, at time.Duration, commit string) *Saver {
	s := &Snapshot{Version: version, Life: l, At: fault.Seconds(at.Seconds()), Commit: commit}
	return &Saver{s: s, Instant: scenario.At(at, func(w scenario.World) error {
		s.Trace = traceOf(w)
		return nil
	})}
}

// Write writes the snapshot of a run that is over and took so long; one that ended before the
// instant has none.
func (v *Saver) Write(file string, took time.Duration) error {
	if !v.Come() {
		return fmt.Errorf("save the run at %v: it took %v", v.s.At.Duration(), took)
	}
	text, err := json.MarshalIndent(v.s, "", "  ")
	if err == nil {
		err = renameio.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("save the run at %v as %s: %w", v.s.At.Duration(), file, err)
	}
	return nil
}
