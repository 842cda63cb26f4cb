package proof_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/core/archtest/proof"
)

func TestAll(t *testing.T) {
	all := proof.All()
	if len(all) != 213 || all[0].String() != "API-1" || all[212].String() != "LAB-13" {
		t.Errorf("%d behaviours, %v to %v", len(all), all[0], all[len(all)-1])
	}
}

func TestClaims(t *testing.T) {
	cases := []struct{ name, want string }{
		{"TestAPI14_EqualCostRotation", "[API-14]"},
		{"TestAPI2_API3_NET39_Three", "[API-2 API-3 NET-39]"},
		{"TestAPI2", "[API-2]"},
		{"TestConform/qemu/LAB11_Same", "[LAB-11]"},
		{"TestAPI2_X/API2_again", "[API-2]"},
		{"TestAPIs", "[]"},
		{"TestAPI2x", "[]"},
		{"TestRunsAPI2_Late", "[]"},
		{"TestAPI57_TooHigh", "test TestAPI57_TooHigh: behaviour API-57 does not exist"},
		{"TestNET0_Zero", "test TestNET0_Zero: behaviour NET-0 does not exist"},
		{"TestNET012_Zeros", "test TestNET012_Zeros: behaviour NET-012 does not exist"},
		{"TestAPI1_API2_API3_API4_Four",
			"test TestAPI1_API2_API3_API4_Four: names 4 behaviours, at most 3 are allowed"},
	}
	for _, c := range cases {
		list, err := proof.Claims(c.name)
		got := fmt.Sprint(list)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s claims %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	for dir, want := range map[string]proof.Place{
		"core/eveapi": proof.Unit, "backends/sim/world": proof.Unit, "tui/page": proof.Unit,
		"backends/sim/qemu": proof.QEMU, "backends/sim/swtpm": proof.Live,
		"backends/linux/nic": proof.Linux, "backends/linux": proof.Linux, "e2e": proof.QEMU,
		"core/host/live": proof.Live, "scenarios": proof.Virtual, "backends/linuxish": proof.Unit,
	} {
		if got := proof.PlaceOf(dir); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
}

// read makes a tally of canned output.
func read(t *testing.T, runs ...string) *proof.Tally {
	t.Helper()
	tally := proof.NewTally("example.com/x")
	for _, run := range runs {
		if err := tally.Read(strings.NewReader(run)); err != nil {
			t.Fatal(err)
		}
	}
	return tally
}

func TestTally(t *testing.T) {
	data, err := os.ReadFile("testdata/run.json")
	if err != nil {
		t.Fatal(err)
	}
	tally := read(t, string(data))
	var out strings.Builder
	if err := tally.Write(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 214 {
		t.Fatalf("%d lines", len(lines))
	}
	var proven []string
	for _, l := range lines {
		if !strings.HasSuffix(l, " -") {
			proven = append(proven, l)
		}
	}
	want := []string{
		"API-2   unit: core/eveapi.TestAPI2_API3_Both",
		"API-3   unit: core/eveapi.TestAPI2_API3_Both",
		"API-5   unit: core/eveapi.TestAPI5_Envelope; virtual: scenarios.TestAll",
		"NET-12  virtual: scenarios.TestAll",
		"NET-13  virtual: scenarios.TestAll",
		"APP-1   qemu: scenarios.two-apps",
		"LAB-2   live: backends/sim/swtpm.TestLAB2_OneHandle",
		"LAB-7   linux: backends/linux/nic.TestConform/LAB7_FastDHCP",
		"8 of 213 behaviours proven, 3 of them on real parts",
	}
	if d := cmp.Diff(want, proven); d != "" {
		t.Error(d)
	}
	failed := []string{"core/eveapi.TestAPI6_Broken", "example.com/x/tui does not build",
		"scenarios.TestAll"}
	if d := cmp.Diff(failed, tally.Failed()); d != "" {
		t.Error(d)
	}
	if len(tally.Errors()) > 0 {
		t.Error(tally.Errors())
	}
}

func TestTallyRefuses(t *testing.T) {
	line := func(action, test, output string) string {
		return fmt.Sprintf("{\"Action\":%q,\"Package\":\"example.com/x/core/a\",\"Test\":%q,"+
			"\"Output\":%q}\n", action, test, output)
	}
	tally := read(t, line("pass", "TestAPI1_API2_API3_API4_Four", ""),
		line("output", "TestS", "covers: NET-99 host=virtual ok\n"),
		line("output", "TestS", "covers: NET-9 host=moon ok\n"),
		line("output", "TestS", "covers: everything ok\n"))
	want := []string{
		`line "covers: NET-9 host=moon ok": host=moon means nothing`,
		`line "covers: NET-99 host=virtual ok": behaviour NET-99 does not exist`,
		`line "covers: everything ok": everything means nothing`,
		"test TestAPI1_API2_API3_API4_Four: names 4 behaviours, at most 3 are allowed",
	}
	if d := cmp.Diff(want, tally.Errors()); d != "" {
		t.Error(d)
	}
	if proven, _ := tally.Counts(); proven != 0 {
		t.Errorf("%d proven", proven)
	}
}

func TestTallyAddsRuns(t *testing.T) {
	pass := `{"Action":"pass","Package":"example.com/x/%s","Test":"TestLAB1_KVM"}` + "\n"
	tally := read(t, fmt.Sprintf(pass, "core/a"), fmt.Sprintf(pass, "backends/sim/qemu"))
	if proven, real := tally.Counts(); proven != 1 || real != 1 {
		t.Errorf("%d proven, %d real", proven, real)
	}
}
