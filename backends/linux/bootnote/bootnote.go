// Package bootnote keeps what counts for one boot of the kernel: a file in JSON on a tmpfs, which a
// process that is started again goes on from, and which is void after a reset, wherever it lies.
package bootnote

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Note is a file for what the kernel cannot tell, an object in JSON with a member "Boot": what was
// written in another boot of the kernel is void. It is replaced as a whole.
type Note struct {
	// Path is the file; empty: nothing is kept.
	Path string
	// Boot is the kernel's name of this boot.
	Boot string
	// After is called when the file was written; its error is that of Save. For tests of crashes; may
	// be nil.
	After func(what string) error
}

// Open makes the folder of a note, with a mode. No folder is a note that keeps nothing.
func Open(folder, name string, mode os.FileMode, after func(string) error) (Note, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Note{}, fmt.Errorf("read the number of the boot: %w", err)
	}
	n := Note{Boot: strings.TrimSpace(string(text)), After: after}
	if folder == "" {
		return n, nil
	}
	if err := os.MkdirAll(folder, mode); err != nil {
		return Note{}, fmt.Errorf("make the folder of note %s: %w", name, err)
	}
	n.Path = filepath.Join(folder, name)
	return n, nil
}

// Save writes x, whose member Boot is the note's.
func (n *Note) Save(x any) error {
	if n.Path == "" {
		return nil
	}
	text, err := json.MarshalIndent(x, "", " ")
	if err == nil {
		err = renameio.WriteFile(n.Path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write note %s: %w", n.Path, err)
	}
	if n.After != nil {
		return n.After("write " + filepath.Base(n.Path))
	}
	return nil
}

// Load reads what was saved in this boot into x and reports whether there is something. A file that
// makes no sense is as good as none.
func (n *Note) Load(x any) (bool, error) {
	if n.Path == "" {
		return false, nil
	}
	text, err := os.ReadFile(n.Path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read note %s: %w", n.Path, err)
	}
	var of struct{ Boot string }
	if json.Unmarshal(text, &of) != nil || of.Boot != n.Boot {
		return false, nil
	}
	return json.Unmarshal(text, x) == nil, nil
}
