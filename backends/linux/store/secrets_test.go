package store

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// lastingRef is a reference that outlives the configuration it came with: the login of a proxy.
const lastingRef = "config:d507b2a1-2226-47cc-ac88-dee46077dad1:server:abcd"

// TestSecretsOutliveTheBoot keeps a secret that a row refers to longer than its configuration is
// there: it lies in a file that only root can read, and the keeper of the next boot knows it.
func TestSecretsOutliveTheBoot(t *testing.T) {
	root := t.TempDir()
	list := []secret.Lasting{{Ref: lastingRef, Text: "user:word"}}
	text, err := json.Marshal(list)
	must(t, err, os.MkdirAll(filepath.Join(root, "persist/secrets"), 0o700))
	must(t, os.WriteFile(filepath.Join(root, secretsFile), text, 0o600))
	for range 2 {
		r, end, err := start(Options{Root: root})
		must(t, err)
		var got string
		err = r.dev.Do(t.Context(), func(*host.Kernel) { got, _ = r.keeper.Value(lastingRef) })
		if err != nil || got != "user:word" {
			t.Errorf("the secret is %q: %v", got, err)
		}
		must(t, end())
	}

	r := up(t, Options{Root: root})
	var save func() error
	err = r.dev.Do(t.Context(), func(*host.Kernel) {
		save = r.unsaved()
		if save != nil {
			t.Error("what is on the disk is written again")
		}
		r.keeper.Recall([]secret.Lasting{{Ref: lastingRef + "2", Text: "more"}})
		save = r.unsaved()
	})
	must(t, err)
	if save == nil {
		t.Fatal("a secret that outlives its configuration is not saved")
	}
	must(t, save())
	i, err := os.Stat(filepath.Join(root, secretsFile))
	must(t, err)
	text, err = os.ReadFile(filepath.Join(root, secretsFile))
	if err != nil || i.Mode() != 0o600 || !bytes.Contains(text, []byte("user:word")) ||
		!bytes.Contains(text, []byte("more")) {
		t.Errorf("the file is %v and holds %s: %v", i.Mode(), text, err)
	}
	files, _ := rows(t, r, r.files)
	if len(files) > 0 {
		t.Errorf("secrets are listed: %v", files)
	}
}
