package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// format is the version of the file's layout. Fields may be added without another one.
const format = 1

// File is a Store in one JSON file of mode 0600, since it holds the controller's seed.
type File struct {
	path string
}

var _ Store = (*File)(nil)

// NewFile is a store at a path, whose folder must exist.
func NewFile(path string) *File { return &File{path} }

// document is the file's layout.
type document struct {
	Format int `json:"format"`
	State
}

// Load reads the file. A file that cannot be read as a whole is an error, never an empty store.
func (f *File) Load() (State, error) {
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, ErrEmpty
	}
	if err != nil {
		return State{}, fmt.Errorf("load controller: %w", err)
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return State{}, fmt.Errorf("load controller from %s: %w", f.path, err)
	}
	if d.Format != format {
		return State{}, fmt.Errorf("load controller from %s: format %d, want %d", f.path, d.Format,
			format)
	}
	return d.State, nil
}

// Save writes a new file beside the old one, syncs it, and puts it in the old one's place.
func (f *File) Save(s State) error {
	text, err := json.Marshal(document{format, s})
	if err != nil {
		return fmt.Errorf("save controller: %w", err)
	}
	dir := filepath.Dir(f.path)
	err = renameio.WriteFile(f.path, text, 0o600, renameio.WithTempDir(dir),
		renameio.WithStaticPermissions(0o600))
	if err != nil {
		return fmt.Errorf("save controller to %s: %w", f.path, err)
	}
	// The name is durable once its folder is.
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("save controller to %s: %w", f.path, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("save controller to %s: %w", f.path, err)
	}
	return nil
}
