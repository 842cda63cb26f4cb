package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/controllersim/store"
	"github.com/lf-edge/eve-api/go/config"
)

func state(t *testing.T, generation int) store.State {
	t.Helper()
	f := fleet.New(fleet.Options{Seed: "s"})
	d, err := f.AddDevice(fleet.NewDevice{Name: "edge", Serial: "1"})
	if err != nil {
		t.Fatal(err)
	}
	change := fleet.Change{Config: &config.EdgeDevConfig{ProductName: "p"}}
	if _, err := d.SetConfig(change); err != nil {
		t.Fatal(err)
	}
	return store.State{Seed: []byte("seed"), Generation: generation, Fleet: f.Snapshot()}
}

func TestStoresKeepTheLastState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.json")
	for name, s := range map[string]store.Store{
		"memory": &store.Memory{}, "file": store.NewFile(path),
	} {
		if _, err := s.Load(); !errors.Is(err, store.ErrEmpty) {
			t.Errorf("%s: empty store gives %v", name, err)
		}
		for generation := range 2 {
			want := state(t, generation)
			if err := s.Save(want); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: loaded %+v, %v", name, got, err)
			}
		}
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("file has mode %v, %v", st.Mode(), err)
	}
	again, err := store.NewFile(path).Load()
	if err != nil || again.Generation != 1 {
		t.Errorf("another process loads %+v, %v", again, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("files left: %v, %v", left, err)
	}
}

func TestDamagedFileIsNoEmptyStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.json")
	if err := store.NewFile(path).Save(state(t, 1)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{
		"empty": "", "truncated": string(text[:len(text)/2]), "another format": `{"format":9}`,
	} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.NewFile(path).Load(); err == nil || errors.Is(err, store.ErrEmpty) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := store.NewFile(filepath.Join(path, "x")).Save(state(t, 1)); err == nil {
		t.Errorf("saved below a file")
	}
}
