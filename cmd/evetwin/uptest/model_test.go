package uptest_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// TestMadeUpImageRunsInTheModelBesideQEMU runs the bundled application and one whose image stands
// in a registry that cannot be reached from here.
func TestMadeUpImageRunsInTheModelBesideQEMU(t *testing.T) {
	t.Parallel()
	cfg, err := twin.DemoDraft("edge").Registry("outside", "registry.example.com").
		Image(fleet.Image{Name: "other", Store: "outside", URL: "team/other:7"}).
		Volume(fleet.Volume{Name: "other", Image: "other"}).
		App(fleet.App{Name: "other", MemoryKB: 64 << 10, Volumes: []string{"other"},
			Interfaces: []fleet.Interface{{Network: "lan", Rules: []fleet.Rule{fleet.AllowAll()}}}}).
		Build()
	if err != nil {
		t.Fatal(err)
	}
	text, err := protojson.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newPlace(t).real().up("--config", file)
	if code := r.wait(); code != 0 {
		t.Fatalf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
	if r.sum.AnsweredS == 0 || r.sum.BootID == "" {
		t.Errorf("the bundled application does not run in QEMU: %+v", r.sum)
	}
	if len(r.sum.ModelGuests) != 1 || r.sum.ModelGuests[0].Application != "other" ||
		!slices.Equal(r.sum.MadeUp, []string{"registry.example.com/team/other:7"}) {
		t.Errorf("model guests %+v, made up %v", r.sum.ModelGuests, r.sum.MadeUp)
	}
	if !slices.Contains(r.seen, "application other is RUNNING") {
		t.Errorf("it does not run: %v", r.seen)
	}
}
