package corpus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

// Folder is where new cases go: this folder of the checkout that the program runs in, else one
// below the state folder.
func Folder() string {
	if dir, err := os.Getwd(); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && bytes.HasPrefix(mod, []byte("module github.com/evetwin/evetwin\n")) {
				return filepath.Join(dir, "scenarios", "corpus")
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return filepath.Join(lab.DefaultDirs().State, "failures")
}

// Save writes a case into a folder, under a name made of its rule, scenario and seed, and returns
// the file. A file that is there already is a case of its own and stays: the new one gets a number.
func Save(dir string, c *Case) (string, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("save a failure: %w", err)
	}
	name := fmt.Sprintf("%s-%s-%d", c.Rule, c.Scenario, c.Seed)
	for n := 1; ; n++ {
		file := filepath.Join(dir, name+".json")
		if n > 1 {
			file = filepath.Join(dir, fmt.Sprintf("%s-%d.json", name, n))
		}
		old, err := os.ReadFile(file)
		if err == nil && !bytes.Equal(old, append(text, '\n')) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("save a failure: %w", err)
		}
		if err := renameio.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			return "", fmt.Errorf("save a failure as %s: %w", file, err)
		}
		return file, nil
	}
}
