// Package corpus replays what once failed: each file names a scenario and a seed, and what went
// wrong then. A mended defect stays here, so that it cannot come back unseen.
package corpus

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
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
	// Commit is where it failed, Rule what was violated, Story what the reason was.
	Commit string `json:"commit"`
	Rule   string `json:"rule"`
	Story  string `json:"story"`
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
		c := Case{File: path.Base(e.Name())}
		if err := json.Unmarshal(b, &c); err != nil {
			return nil, fmt.Errorf("read corpus file %s: %w", e.Name(), err)
		}
		out = append(out, c)
	}
	return out, nil
}
