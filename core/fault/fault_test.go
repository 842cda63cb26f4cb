package fault_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/fault"
)

const span = 45 * time.Minute

func menu() fault.Menu {
	return fault.Menu{Ops: []string{"nic.Set", "store.Write", "web.Send"},
		Agents: []string{"nim", "zedagent"}, Interfaces: []string{"eth0", "eth1"},
		Networks: []string{"network0"}, Resolvers: []string{"dns-server"}, Proxies: []string{"proxy"},
		Hosts: []string{"registry"}, Endpoints: []string{"", "config", "info"}}
}

func draw(t *testing.T, profile string, seed uint64, m fault.Menu) fault.Plan {
	t.Helper()
	p, err := fault.Named(profile)
	if err != nil {
		t.Fatal(err)
	}
	return fault.Draw(p, seed, m, span)
}

func TestDrawnPlansMakeSenseAndEndInTime(t *testing.T) {
	kinds := map[fault.Kind]bool{}
	most := map[string]int{}
	for _, name := range fault.Profiles() {
		for seed := uint64(1); seed <= 300; seed++ {
			p := draw(t, name, seed, menu())
			if err := p.Check(name); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if p.Healed() > span {
				t.Fatalf("%s seed %d is over at %v, behind its span", name, seed, p.Healed())
			}
			if !reflect.DeepEqual(p, draw(t, name, seed, menu())) {
				t.Fatalf("%s seed %d gives two plans", name, seed)
			}
			for _, f := range p.Faults {
				kinds[f.Kind] = true
			}
			most[name] += len(p.Faults)
		}
	}
	for _, k := range fault.Kinds() {
		if !kinds[k] {
			t.Errorf("no profile has %s", k)
		}
	}
	if !(most["none"] == 0 && most["calm"] > 300 && most["flaky"] > 2*most["calm"] &&
		most["brutal"] > 2*most["flaky"]) {
		t.Errorf("faults in 300 seeds of each profile: %v", most)
	}
}

// Of each kind of a profile there are seeds with it and seeds without.
func TestSeedsSwitchKindsOnAndOff(t *testing.T) {
	p, err := fault.Named(fault.Flaky)
	if err != nil {
		t.Fatal(err)
	}
	with := map[fault.Kind]int{}
	const seeds = 400
	for seed := uint64(1); seed <= seeds; seed++ {
		has := map[fault.Kind]bool{}
		for _, f := range fault.Draw(p, seed, menu(), span).Faults {
			has[f.Kind] = true
		}
		for k := range has {
			with[k]++
		}
	}
	for _, r := range p.Rates {
		if got := 100 * with[r.Kind] / seeds; got < int(r.Seeds)-10 || got > int(r.Seeds)+10 {
			t.Errorf("%s is on in %d %% of the seeds, want about %d", r.Kind, got, r.Seeds)
		}
	}
}

// A newcomer to the menu takes draws for itself and moves no others; a kind less moves none.
func TestNewcomersMoveNobodysLuck(t *testing.T) {
	more := menu()
	more.Ops = append([]string{"hyper.Start"}, more.Ops...)
	moved, all := 0, 0
	for seed := uint64(1); seed <= 100; seed++ {
		a, b := draw(t, fault.Brutal, seed, menu()), draw(t, fault.Brutal, seed, more)
		if len(a.Faults) != len(b.Faults) {
			t.Fatalf("seed %d: %d faults, then %d", seed, len(a.Faults), len(b.Faults))
		}
		for i, f := range b.Faults {
			if f.Kind.On() == fault.AnOp {
				all++
			}
			if f != a.Faults[i] {
				if moved++; f.On != "hyper.Start" {
					t.Fatalf("seed %d: %v became %v", seed, &a.Faults[i], &f)
				}
			}
		}
	}
	if moved < all/8 || moved > all/2 {
		t.Errorf("of %d faults of ops %d moved to one newcomer among 4", all, moved)
	}
	brutal, _ := fault.Named(fault.Brutal)
	fewer := brutal
	fewer.Rates = slices.DeleteFunc(slices.Clone(brutal.Rates),
		func(r fault.Rate) bool { return r.Kind == fault.LinkDown })
	for seed := uint64(1); seed <= 50; seed++ {
		a := fault.Draw(brutal, seed, menu(), span).Faults
		a = slices.DeleteFunc(a, func(f fault.Fault) bool { return f.Kind == fault.LinkDown })
		if b := fault.Draw(fewer, seed, menu(), span).Faults; !slices.Equal(a, b) {
			t.Fatalf("seed %d: leaving a kind out moved others", seed)
		}
	}
}

func TestMenuWithoutAnythingLeavesFaultsOut(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		for _, f := range draw(t, fault.Brutal, seed, fault.Menu{}).Faults {
			if f.Kind.On() != fault.Nothing {
				t.Fatalf("%v is about something that is not on the menu", &f)
			}
		}
	}
}

func TestPlansSurviveJSON(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		p := draw(t, fault.Brutal, seed, menu())
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fault.Read("plan.json", b)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Faults) == 0 {
			p.Faults = nil
		}
		if !reflect.DeepEqual(got, p) {
			t.Fatalf("seed %d: %v came back as %v", seed, p, got)
		}
	}
}

func TestReadIsStrict(t *testing.T) {
	one := func(f string) string {
		return `{"seed":1,"faults":[{"kind":"link-down","at_s":1,"on":"eth0"},{"kind":` + f + `}]}`
	}
	for _, c := range []struct{ name, text, want string }{
		{"field", one(`"link-down","at_s":1,"on":"eth0","when":3`),
			`faults[1]: json: unknown field "when"`},
		{"plan field", `{"seed":1,"fault":[]}`, `unknown field "fault"`},
		{"kind", one(`"sunspots","at_s":1`), `faults[1].kind: there is no fault "sunspots"`},
		{"negative", one(`"power-cut","at_s":-1`), "faults[1].at_s: -1 is no time"},
		{"negative for", one(`"power-cut","at_s":1,"for_s":-0.5`),
			"faults[1].for_s: -0.5 is no time"},
		{"huge", one(`"power-cut","at_s":1e300`), "faults[1].at_s"},
		{"no name", one(`"link-down","at_s":1`), "faults[1].on: link-down must name"},
		{"name", one(`"power-cut","at_s":1,"on":"eth0"`),
			"faults[1].on: power-cut is about nothing"},
		{"value", one(`"link-loss","at_s":1,"on":"eth0","value":101`),
			"faults[1].value: 101 is outside 1 to 100"},
		{"n", one(`"link-down","at_s":1,"on":"eth0","n":1`), "faults[1].n"},
		{"key", one(`"link-down","at_s":1,"on":"eth0","key":"x"`), "faults[1].key"},
		{"type", one(`"power-cut","at_s":"soon"`), "faults[1]: json: cannot unmarshal"},
		{"more", `{"seed":1,"faults":[]} {}`, "something follows"},
		{"cut", `{"seed":1,"faults":[`, "unexpected EOF"},
	} {
		_, err := fault.Read("plan.json", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), "plan.json: ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one of plan.json that says %q", c.name, err, c.want)
		}
	}
}

func TestUnknownProfileIsAnError(t *testing.T) {
	if _, err := fault.Named("stormy"); err == nil || !strings.Contains(err.Error(), "flaky") {
		t.Errorf("error %v does not list the profiles", err)
	}
}
