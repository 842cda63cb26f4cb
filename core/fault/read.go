package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Read reads a plan strictly: a field that nobody knows, a kind that does not exist or a time that
// is none is an error that names the file, the field and the reason.
func Read(file string, data []byte) (Plan, error) {
	var wire struct {
		Seed    uint64            `json:"seed"`
		Profile string            `json:"profile"`
		Faults  []json.RawMessage `json:"faults"`
	}
	if err := strict(data, &wire); err != nil {
		return Plan{}, fmt.Errorf("%s: %w", file, err)
	}
	p := Plan{Seed: wire.Seed, Profile: wire.Profile}
	for i, raw := range wire.Faults {
		var f Fault
		if err := strict(raw, &f); err != nil {
			return Plan{}, fmt.Errorf("%s: faults[%d]: %w", file, i, err)
		}
		p.Faults = append(p.Faults, f)
	}
	return p, p.Check(file)
}

// strict decodes one document without anything behind it.
func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows at byte %d", d.InputOffset())
	}
	return nil
}
