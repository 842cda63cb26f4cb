package twin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// outside is what the program zedbox is told of the network of its models.
type outside struct {
	Name  string            `json:"name"`
	Seed  uint64            `json:"seed"`
	Ports int               `json:"ports"`
	Reach map[string]string `json:"reach"`
	Plain []string          `json:"plain"`
}

// WriteRoot makes the root folder of a device of the site that the program zedbox runs: its
// /config, and the file that says what is outside, whose path it returns.
func (l *Live) WriteRoot(root, name string, seed uint64) (path string, err error) {
	files, err := l.Site.ConfigFiles(name)
	if err != nil {
		return "", fmt.Errorf("make the root of %s: %w", name, err)
	}
	o := outside{Name: name, Seed: seed, Ports: 2, Reach: l.Reach()}
	for _, port := range []string{"80", "443", "5000"} {
		o.Plain = append(o.Plain, Registry+":"+port)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("make the root of %s: %w", name, err)
	}
	dir := filepath.Join(root, "config")
	err = os.MkdirAll(dir, 0o700)
	for file, content := range files { //order: each goes to its own file
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), content, 0o600)
		}
	}
	path = filepath.Join(root, "outside.json")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("make the root of %s: %w", name, err)
	}
	return path, nil
}
