package uptest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// realData is the folder of real input, which is no part of the repository.
func realData(t *testing.T) string {
	t.Helper()
	root := os.Getenv("EVETWIN_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no real input: EVETWIN_DATA is not set and %s is not there", root)
	}
	return root
}

func glob(t *testing.T, pattern ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", filepath.Join(pattern...), err)
	}
	return files
}

// settles runs a device until it settles.
func settles(t *testing.T, args ...string) *run {
	t.Helper()
	r := newPlace(t).up(append(args, "--until", "settled", "--quiet", "1s", "--limit", "20s")...)
	if code := r.wait(); code != 0 || !r.sum.OK || r.errs.Len() > 0 {
		t.Errorf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
	return r
}

// TestRealModelsSettle has every device model settle in real time, and every configuration in its
// network. They mostly wait, so all of them run at once.
func TestRealModelsSettle(t *testing.T) {
	t.Parallel()
	root := realData(t)
	runs := map[string]*run{}
	for _, f := range glob(t, root, "models", "*.json") {
		runs[f] = newPlace(t).up("--model", f, "--hyper", "model", "--tpm", "model",
			"--until", "settled", "--quiet", "1s", "--limit", "30s")
	}
	for f, r := range runs {
		if code := r.wait(); code != 0 || !r.sum.OK || r.errs.Len() > 0 {
			t.Errorf("%s: exit %d, %+v, %s", f, code, r.sum, r.errs.String())
		}
	}
}

// TestRealNetworksSettle does the same with networks and their configurations, beside real parts:
// what comes from the datastores of the outside is made up, and no guest for QEMU.
func TestRealNetworksSettle(t *testing.T) {
	root := realData(t)
	for _, f := range append(glob(t, root, "networks", "*", "device-config.json"),
		glob(t, root, "configs", "*.json")...) {
		t.Run(filepath.Base(filepath.Dir(f)), func(t *testing.T) {
			t.Parallel()
			args := []string{"--config", f}
			if n := filepath.Join(filepath.Dir(f), "network-model.json"); exists(n) {
				args = append(args, "--network", n)
			}
			newPlace(t).real()
			r := settles(t, args...)
			running := 0
			for _, s := range r.seen {
				if strings.HasPrefix(s, "application ") && strings.HasSuffix(s, " is RUNNING") {
					running++
				}
			}
			if running != len(r.sum.ModelGuests) || (running > 0) != (len(r.sum.MadeUp) > 0) {
				t.Errorf("%d applications run, %+v", running, r.sum)
			}
			if r.sum.Hyper == "model" || r.sum.TPM != "swtpm" {
				t.Errorf("not real: %+v", r.sum)
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestBadInputIsRefused gives files that cannot be read.
func TestBadInputIsRefused(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"apps": [`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--config", "--network", "--model"} {
		r := newPlace(t).up(flag, bad)
		if code := r.wait(); code != 2 || r.sum.OK || !strings.Contains(r.errs.String(), bad) ||
			len(r.seen) > 0 {
			t.Errorf("%s: exit %d, %+v, %v, %s", flag, code, r.sum, r.seen, r.errs.String())
		}
	}
}
