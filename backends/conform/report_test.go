package conform

import (
	"strings"
	"testing"
)

// TestARealPartThatDiffersIsNamed holds a real part against its model: the first row that differs
// is named, and loose cases and failures are not compared.
func TestARealPartThatDiffersIsNamed(t *testing.T) {
	real := Backend{Name: "linux", Real: true}
	seen := func(rows ...string) map[string][]string {
		return map[string][]string{"nic.LinkSeen": rows}
	}
	r := &Report{}
	for _, x := range []result{
		{part: "nic", name: "links/up", on: Backend{Name: "model"}, seen: seen("eth0 up", "eth1 up")},
		{part: "nic", name: "links/up", on: real, seen: seen("eth0 up", "eth1 down")},
		{part: "nic", name: "links/more", on: Backend{Name: "model"}, seen: seen("eth0 up")},
		{part: "nic", name: "links/more", on: real, seen: seen("eth0 up", "eth0 gone")},
		{part: "nic", name: "links/cut", on: Backend{Name: "model"}, seen: seen("eth0 up")},
		{part: "nic", name: "links/cut", on: real, loose: chance, seen: seen()},
		{part: "nic", name: "links/same", on: Backend{Name: "model"}, seen: seen("eth0 up")},
		{part: "nic", name: "links/same", on: real, seen: seen("eth0 up")},
		{part: "nic", name: "links/vlan", on: real, skipped: "vlan: not supported"},
	} {
		r.add(x)
	}
	var out strings.Builder
	if r.Print(&out) {
		t.Error("a part that differs is said to be like its model")
	}
	for _, want := range []string{
		"differs on linux: nic/links/up\n      nic.LinkSeen, number 2:\n      the model: eth1 up\n" +
			"      the real part: eth1 down\n",
		"the model: nothing more\n      the real part: eth0 gone\n",
		"skipped on linux: nic/links/vlan: vlan: not supported\n",
		"nic       5 cases, 4 on the real part: linux 4\n",
		"\n5 cases, 4 on the real part, 1 skipped, 2 differ\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
}
