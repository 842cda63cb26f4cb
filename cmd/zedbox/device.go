package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/operator"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// device is what a device is made of.
type device struct {
	name     string
	seed     uint64
	hardware host.Hardware
	parts    []zedbox.Part
	// mortal says that the parts live no longer than this process.
	mortal bool
	keeper *keeper // of the models' disk; nil without models
	people *operator.Part
	// kept takes lines into the log of the device; nil: it has none.
	kept func(from string, l agent.Line)
	// close ends the parts in this process; what they run and have configured stays. May be nil.
	close func() error
}

// device makes the device of the root: of models where a file says what is outside of them, else of
// the parts of a machine, which is this one if no file says otherwise.
func (b *box) device(ctx context.Context, l *lines) (*device, error) {
	switch {
	case b.outside != "" && b.machine != "":
		return nil, cli.Refuse(fmt.Errorf("--outside %s --machine %s: a device is of models or of real "+
			"parts, give one", b.outside, b.machine))
	case b.outside != "":
		return b.models()
	case b.machine == "" && b.root != "/":
		return nil, cli.Refuse(fmt.Errorf("--root %s: what the device stands on is not said; "+
			"give --machine or, for models, --outside", b.root))
	}
	return b.real(ctx, l)
}

// readJSON reads a file with one object.
func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
