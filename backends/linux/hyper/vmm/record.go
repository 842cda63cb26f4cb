package vmm

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// Suffixes of the files of a guest.
const (
	recordSuffix  = ".domain"
	freshSuffix   = ".fresh" // of a record that is not written to its end yet
	logSuffix     = ".log"
	monitorSuffix = ".qmp"
	shellSuffix   = ".shell"
)

// record is what is known of a guest.
type record struct {
	Spec qemu.Spec
	Note []byte
	// Process is the run's, of one that is under way as far as was seen; nil: it is off.
	Process *identity
	// End is how the run ended, which may be known before its process has ended.
	End State
}

// Defined says that a folder has guests.
func Defined(dir string) bool {
	list, err := filepath.Glob(filepath.Join(dir, "*"+recordSuffix))
	return err == nil && len(list) > 0
}

// path is a file of a guest.
func (g *Guests) path(name, suffix string) string { return filepath.Join(g.o.Dir, name+suffix) }

// save replaces the file of a guest. A folder that a reboot forgets needs no sync.
func (g *Guests) save(name string, r *record) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err == nil {
		err = os.WriteFile(g.path(name, freshSuffix), text, 0o600)
	}
	if err == nil {
		err = os.Rename(g.path(name, freshSuffix), g.path(name, recordSuffix))
	}
	if err != nil {
		return fmt.Errorf("write down guest %s: %w", name, err)
	}
	return nil
}

// load reads all files, and clears away what a process was writing when it ended.
func (g *Guests) load() (map[string]*record, error) {
	list, err := os.ReadDir(g.o.Dir)
	if err != nil {
		return nil, fmt.Errorf("list guests: %w", err)
	}
	out := map[string]*record{}
	for _, f := range list {
		path := filepath.Join(g.o.Dir, f.Name())
		if strings.HasSuffix(f.Name(), freshSuffix) {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("list guests: %w", err)
			}
		}
		name, ok := strings.CutSuffix(f.Name(), recordSuffix)
		if !ok {
			continue
		}
		r := &record{}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, r)
		}
		if err != nil {
			// Nothing is known of it, not even a process: whoever wrote this has to see to it.
			g.o.OnError(fmt.Errorf("read what is known of guest %s: %w", name, err))
			continue
		}
		out[name] = r
	}
	return out, nil
}

// remove removes the files of a guest.
func (g *Guests) remove(name string) error {
	var all error
	for _, suffix := range []string{logSuffix, monitorSuffix, shellSuffix, recordSuffix} {
		if err := os.Remove(g.path(name, suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	if all != nil {
		return fmt.Errorf("forget guest %s: %w", name, all)
	}
	return nil
}
