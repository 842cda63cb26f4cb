package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// folder is where failures are saved.
func (f *exploreFlags) folder() string {
	switch {
	case f.save != "":
		return f.save
	case f.record != "":
		return f.record
	}
	return corpus.Folder()
}

// keep saves a failure as a case and, if they are to be recorded, its recording.
func (f *exploreFlags) keep(sc *scenario.Scenario, x *explore.Failure) (exploreFailure, error) {
	found := x.Case(sc, cli.Revision())
	found.Plant = f.plant
	kept := exploreFailure{Seed: x.Seed, Rule: x.Rule, Saw: x.Saw, Faults: len(x.Plan.Faults)}
	file, err := corpus.Save(f.folder(), found)
	if err != nil {
		return kept, err
	}
	kept.File, kept.Replay = file, "evetwin run --case "+file
	if f.record != "" {
		kept.Recording, err = recordCase(sc, found, f.record, file)
	}
	return kept, err
}

// recordCase runs a failure again, as small as it was made, and records every turn into a folder,
// under the name of the case's file. Explored runs themselves are not recorded: that costs those
// that are well, and this one is the same.
func recordCase(sc *scenario.Scenario, c *corpus.Case, folder, file string) (path string,
	err error,
) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("record the failure: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)) + ".ev"
	path = filepath.Join(folder, name)
	rec, err := taping.Create(path)
	if err != nil {
		return "", err
	}
	r, err := explore.Replay(sc, c, recording.Around{Recorder: rec.Recorder})
	if err := errors.Join(err, rec.Close()); err != nil {
		return "", err
	}
	if r.Rule != c.Rule {
		return "", fmt.Errorf("record the failure: run again it breaks %q, not %q", r.Rule, c.Rule)
	}
	return path, nil
}
