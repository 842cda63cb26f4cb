package world

import (
	"os"
	"path/filepath"
	"testing"
)

// realModels finds the six models that Eden publishes, where they lie beside the repository.
func realModels(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("EVETWIN_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(dir, "networks", "*", "network-model.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no network models in %s; EVETWIN_DATA names the folder that has them", dir)
	}
	return files
}

func TestParseRealModels(t *testing.T) {
	for _, f := range realModels(t) {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(f, data)
		if err != nil {
			t.Errorf("refused: %v", err)
			continue
		}
		if len(m.Unknown) > 0 {
			t.Errorf("%s: unknown fields %v", f, m.Unknown)
		}
	}
}
