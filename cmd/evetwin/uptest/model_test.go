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

// TestModelOfAnotherArchitecture boots a device model of arm64: with guests in QEMU, which are
// amd64, it says that the device is that, in a step and in the summary, and the application runs;
// with guests that are models there is nothing to say.
func TestModelOfAnotherArchitecture(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "model.json")
	text := `{"arch": 4, "ioMemberList": [
		{"ztype": 1, "phylabel": "eth0", "usage": 1, "phyaddrs": {"Ifname": "eth0"}},
		{"ztype": 1, "phylabel": "eth1", "usage": 1, "phyaddrs": {"Ifname": "eth1"}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := twin.DemoDraft("edge").Build()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := protojson.Marshal(cfg); err != nil {
		t.Fatal(err)
	} else if err := os.WriteFile(file+".config", text, 0o600); err != nil {
		t.Fatal(err)
	}
	note := "the device model is of arm64, but guests in QEMU are amd64 here: the device is amd64 " +
		"and takes images for it; with --hyper model it is arm64"
	r := newPlace(t).real().up("--model", file, "--config", file+".config")
	if code := r.wait(); code != 0 || r.sum.AnsweredS == 0 {
		t.Errorf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
	if !slices.Contains(r.seen, note) || !slices.Contains(r.sum.Notes, note) {
		t.Errorf("it does not say what it is: %v, %v", r.seen, r.sum.Notes)
	}
	r = newPlace(t).up("--model", file, "--hyper", "model", "--tpm", "model", "--until", "onboarded")
	if code := r.wait(); code != 0 || slices.Contains(r.sum.Notes, note) {
		t.Errorf("with guests that are models: exit %d, %+v", code, r.sum)
	}
}
