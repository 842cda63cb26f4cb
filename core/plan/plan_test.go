package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/core/plan"
)

// item writes an item in one line: key, spec and the keys it needs.
func item(key, spec string, needs ...string) plan.Item {
	it := plan.Item{Key: key, Spec: spec, Needs: []plan.Need{}}
	for _, n := range needs {
		it.Needs = append(it.Needs, plan.Need{Key: n})
	}
	return it
}

// external writes an item that somebody else keeps.
func external(key, spec string) plan.Item {
	return plan.Item{Key: key, Spec: spec, External: true}
}

// list writes items in a slice.
func list(items ...plan.Item) []plan.Item { return items }

// must plans and writes the steps as one line per entry.
func must(t *testing.T, g plan.Graph) []string {
	t.Helper()
	s, err := plan.Plan(g)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range s.Want {
		line := a.Verb.String() + " " + a.Key + "=" + a.Spec
		if a.Again {
			line += " again"
		}
		out = append(out, line)
	}
	for _, k := range s.Drop {
		out = append(out, "drop "+k)
	}
	for i, holds := range [][]plan.Hold{s.Pending, s.Waiting, s.Blocked} {
		for _, h := range holds {
			words := []string{[]string{"pending", "waiting", "blocked"}[i], h.Key + ":", h.On,
				h.Why.String(), h.Fault}
			out = append(out, strings.Join(slices.DeleteFunc(words,
				func(s string) bool { return s == "" }), " "))
		}
	}
	if s.Next > 0 {
		out = append(out, "next "+s.Next.String())
	}
	return out
}

// table is one case: a graph and the plan for it.
type table struct {
	name  string
	graph plan.Graph
	want  []string
}

// run checks cases.
func run(t *testing.T, cases []table) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, must(t, c.graph)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestStages(t *testing.T) {
	bridge, addr := item("bridge/bn1", "1"), item("addr/bn1", "10.1.0.1", "bridge/bn1")
	dhcp := item("dhcp/bn1", "a", "addr/bn1")
	run(t, []table{
		{"create what nothing holds up", plan.Graph{Intended: list(bridge, addr, dhcp)}, []string{
			"create bridge/bn1=1", "waiting addr/bn1: bridge/bn1 has its turn first",
			"waiting dhcp/bn1: addr/bn1 has its turn first"}},
		{"create the next", plan.Graph{Intended: list(bridge, addr, dhcp), Seen: list(bridge)},
			[]string{"create addr/bn1=10.1.0.1",
				"waiting dhcp/bn1: addr/bn1 has its turn first"}},
		{"all is well", plan.Graph{Intended: list(bridge, addr, dhcp),
			Seen: list(bridge, addr, dhcp)}, nil},
		{"delete from the top", plan.Graph{Seen: list(bridge, addr, dhcp)}, []string{
			"delete dhcp/bn1=a", "waiting addr/bn1: dhcp/bn1 has its turn first",
			"waiting bridge/bn1: addr/bn1 has its turn first"}},
		{"modify in place", plan.Graph{Intended: list(bridge, item("addr/bn1", "10.2.0.1",
			"bridge/bn1"), dhcp), Seen: list(bridge, addr, dhcp)},
			[]string{"modify addr/bn1=10.2.0.1"}},
		{"creates wait for deletes", plan.Graph{Intended: list(bridge), Seen: list(item("a/old",
			"1"))}, []string{"delete a/old=1",
			"waiting bridge/bn1: deletes and modifies come first"}},
		{"creates wait for deletes in flight", plan.Graph{Intended: list(bridge),
			InFlight: []plan.Call{{Verb: plan.Delete, Key: "a/old", Spec: "1"}}}, []string{
			"delete a/old=1", "waiting bridge/bn1: deletes and modifies come first"}},
		{"something needed has drifted away", plan.Graph{Intended: list(bridge, addr),
			Seen: list(addr)}, []string{"delete addr/bn1=10.1.0.1",
			"waiting bridge/bn1: deletes and modifies come first"}},
		{"the new form needs what is not there", plan.Graph{Intended: list(bridge,
			item("route/a", "2", "bridge/bn1")), Seen: list(item("route/a", "1"))}, []string{
			"delete route/a=1", "waiting bridge/bn1: deletes and modifies come first"}},
		{"the new form needs what goes", plan.Graph{Intended: list(replaced("bridge/bn1", "2"),
			item("route/a", "2", "bridge/bn1")), Seen: list(bridge, item("route/a", "1"))},
			[]string{"delete bridge/bn1=1", "delete route/a=1"}},
		{"a seen item without needs borrows them", plan.Graph{Intended: list(bridge,
			item("addr/bn1", "new", "bridge/bn1")), Seen: list(plan.Item{Key: "addr/bn1",
			Spec: "old"})}, []string{"delete addr/bn1=old",
			"waiting bridge/bn1: deletes and modifies come first"}},
	})
}

// replaced is an item that cannot change in place.
func replaced(key, spec string, needs ...string) plan.Item {
	it := item(key, spec, needs...)
	it.Replace = true
	return it
}

func TestNeeds(t *testing.T) {
	up := func(it *plan.Item) bool { return it.Spec == "up" }
	onUp := plan.Item{Key: "addr/eth0", Spec: "1", Needs: []plan.Need{{Key: "link/eth0", Holds: up}}}
	route := plan.Item{Key: "route/d", Spec: "1", Needs: []plan.Need{
		{Key: "link/eth0", Vanishes: true}}}
	user := item("srv/x", "1", "route/d")
	fussy := plan.Item{Key: "rule/a", Spec: "1", Needs: []plan.Need{{Key: "set/a", Recreate: true}}}
	run(t, []table{
		{"missing for good", plan.Graph{Intended: list(item("a/1", "1", "x/1"), item("b/1", "1",
			"a/1"))}, []string{"pending a/1: x/1 is missing", "pending b/1: a/1 is missing"}},
		{"an external item appears", plan.Graph{Intended: list(item("a/1", "1", "x/1")),
			Seen: list(external("x/1", ""))}, []string{"create a/1=1"}},
		{"predicate false", plan.Graph{Intended: list(onUp), Seen: list(external("link/eth0",
			"down"))}, []string{"pending addr/eth0: link/eth0 does not suit"}},
		{"predicate true", plan.Graph{Intended: list(onUp), Seen: list(external("link/eth0",
			"up"))}, []string{"create addr/eth0=1"}},
		{"predicate no longer true", plan.Graph{Intended: list(onUp), Seen: list(onUp,
			external("link/eth0", "down"))}, []string{"delete addr/eth0=1"}},
		{"predicate broken by a modify", plan.Graph{Intended: list(onUp, item("link/eth0", "down")),
			Seen: list(onUp, item("link/eth0", "up"))}, []string{"delete addr/eth0=1",
			"waiting link/eth0: addr/eth0 has its turn first"}},
		{"recreate when modified", plan.Graph{Intended: list(fussy, item("set/a", "2")),
			Seen: list(fussy, item("set/a", "1"))}, []string{"delete rule/a=1",
			"waiting set/a: rule/a has its turn first"}},
		{"the kernel took it along", plan.Graph{Intended: list(route), Seen: list(route)},
			[]string{"pending route/d: link/eth0 is missing"}},
		{"but not what stands on it", plan.Graph{Intended: list(route, user), Seen: list(route,
			user)}, []string{"delete srv/x=1", "pending route/d: link/eth0 is missing"}},
		{"somebody else's in another form", plan.Graph{Intended: list(item("a/1", "mine")),
			Seen: list(external("a/1", "theirs"))},
			[]string{"pending a/1: belongs to somebody else"}},
		{"somebody else's in our form will do", plan.Graph{Intended: list(item("a/1", "1"),
			item("b/1", "1", "a/1")), Seen: list(external("a/1", "1"))},
			[]string{"create b/1=1"}},
		{"external leftovers stay", plan.Graph{Seen: list(external("link/eth0", ""))}, nil},
		{"intended external items only document", plan.Graph{Intended: list(external("x/1", ""))},
			nil},
	})
}

func TestCallsInFlight(t *testing.T) {
	a, b := item("a/1", "1"), item("b/1", "1", "a/1")
	call := func(v plan.Verb, key, spec string) []plan.Call {
		return []plan.Call{{Verb: v, Key: key, Spec: spec}}
	}
	ended := func(v plan.Verb, key, spec string, p plan.Phase, at int64) []plan.Call {
		return []plan.Call{{Verb: v, Key: key, Spec: spec, Phase: p, Fault: "no luck",
			RetryAt: timeOf(at)}}
	}
	run(t, []table{
		{"a right call is wanted on", plan.Graph{Intended: list(a, b),
			InFlight: call(plan.Create, "a/1", "1")}, []string{"create a/1=1",
			"waiting b/1: a/1 has its turn first"}},
		{"a wish that ended", plan.Graph{InFlight: call(plan.Create, "a/1", "1")},
			[]string{"delete a/1=1"}},
		{"a wish that changed", plan.Graph{Intended: list(item("a/1", "2")),
			InFlight: call(plan.Create, "a/1", "1")}, []string{"delete a/1=1"}},
		{"nothing goes while an unknown create may still happen", plan.Graph{Seen: list(item("z/1",
			"1")), InFlight: call(plan.Create, "a/1", "1")}, []string{"delete a/1=1",
			"waiting z/1: an outdated call has not ended"}},
		{"the ground of a create goes", plan.Graph{Intended: list(item("b/1", "1", "x/1")),
			InFlight: call(plan.Create, "b/1", "1")}, []string{"delete b/1=1"}},
		{"the ground of a create is lost but will return", plan.Graph{Intended: list(a, b),
			InFlight: call(plan.Create, "b/1", "1")}, []string{"delete b/1=1",
			"waiting a/1: deletes and modifies come first"}},
		{"a change waits for a user under way", plan.Graph{Intended: list(item("a/1", "2"), b),
			Seen: list(a), InFlight: call(plan.Create, "b/1", "1")}, []string{"create b/1=1",
			"waiting a/1: b/1 has its turn first"}},
		{"a delete that is no longer right", plan.Graph{Intended: list(a), Seen: list(a),
			InFlight: call(plan.Delete, "a/1", "1")},
			[]string{"waiting a/1: an outdated call has not ended"}},
		{"a modify that is no longer right", plan.Graph{Intended: list(item("a/1", "3")),
			Seen: list(a), InFlight: call(plan.Modify, "a/1", "2")},
			[]string{"waiting a/1: an outdated call has not ended"}},
		{"a create that is superseded may have been", plan.Graph{Seen: list(item("z/1", "1")),
			InFlight: call(plan.Delete, "a/1", "1")}, []string{"delete a/1=1",
			"waiting z/1: an outdated call has not ended"}},
		{"done and seen", plan.Graph{Intended: list(a), Seen: list(a), InFlight: ended(plan.Create,
			"a/1", "1", plan.Done, 0)}, []string{"drop a/1"}},
		{"done and not seen any more", plan.Graph{Intended: list(a), InFlight: ended(plan.Create,
			"a/1", "1", plan.Done, 0)}, []string{"create a/1=1 again"}},
		{"failed", plan.Graph{Intended: list(a, b), InFlight: ended(plan.Create, "a/1", "1",
			plan.Failed, 60)}, []string{"waiting b/1: a/1 has its turn first",
			"blocked a/1: failed no luck", "next 1m0s"}},
		{"failed for good", plan.Graph{Intended: list(a), InFlight: ended(plan.Create, "a/1", "1",
			plan.Failed, 0)}, []string{"blocked a/1: failed no luck"}},
		{"failed and due", plan.Graph{Intended: list(a), InFlight: ended(plan.Create, "a/1", "1",
			plan.Failed, 60), Now: timeOf(60)}, []string{"create a/1=1 again"}},
		{"failed and another wish", plan.Graph{Intended: list(item("a/1", "2")), InFlight: ended(
			plan.Create, "a/1", "1", plan.Failed, 60)}, []string{"create a/1=2"}},
		{"failed and no wish", plan.Graph{InFlight: ended(plan.Create, "a/1", "1", plan.Failed,
			60)}, []string{"drop a/1"}},
		{"a failed modify keeps users from being made", plan.Graph{Intended: list(item("a/1", "2"),
			b), Seen: list(a), InFlight: ended(plan.Modify, "a/1", "2", plan.Failed, 0)},
			[]string{"waiting b/1: a/1 has its turn first", "blocked a/1: failed no luck"}},
		{"a failed delete does not stop the creates of others", plan.Graph{Intended: list(item(
			"c/1", "1")), Seen: list(a), InFlight: ended(plan.Delete, "a/1", "1", plan.Failed, 0)},
			[]string{"create c/1=1", "blocked a/1: failed no luck"}},
		{"a failed outcome is kept while its turn has not come", plan.Graph{Intended: list(a),
			Seen: list(item("z/1", "1")), InFlight: ended(plan.Create, "a/1", "1", plan.Failed,
				60)}, []string{"delete z/1=1",
			"waiting a/1: deletes and modifies come first"}},
	})
}

func TestScope(t *testing.T) {
	in := func(group string, it plan.Item) plan.Item { it.Group = group; return it }
	one, two := in("ni/1", item("bridge/1", "1")), in("ni/2", item("bridge/2", "1"))
	run(t, []table{
		{"one group", plan.Graph{Scope: "ni/1", Intended: list(one, two)},
			[]string{"create bridge/1=1"}},
		{"a nest of groups", plan.Graph{Scope: "ni", Intended: list(one, two)},
			[]string{"create bridge/1=1", "create bridge/2=1"}},
		{"a name that only begins alike", plan.Graph{Scope: "n", Intended: list(one, two)}, nil},
		{"others' deletes do not hold up", plan.Graph{Scope: "ni/1", Intended: list(one),
			Seen: list(two)}, []string{"create bridge/1=1"}},
		{"a user outside holds its ground", plan.Graph{Scope: "ni/1", Seen: list(one,
			in("ni/2", item("port/2", "1", "bridge/1")))},
			[]string{"waiting bridge/1: port/2 has its turn first"}},
		{"calls outside are left alone", plan.Graph{Scope: "ni/1", Seen: list(two),
			Intended: list(two), InFlight: []plan.Call{{Verb: plan.Modify, Key: "bridge/2",
				Spec: "1", Phase: plan.Done}}}, nil},
	})
}

func TestGraphsThatMakeNoSense(t *testing.T) {
	a := item("a/1", "1", "b/1")
	cases := []struct {
		name  string
		graph plan.Graph
		want  string
	}{
		{"cycle", plan.Graph{Intended: list(a, item("b/1", "1", "c/1"), item("c/1", "1", "a/1"))},
			"plan: intended items need each other: a/1 -> b/1 -> c/1 -> a/1"},
		{"on the way to a cycle", plan.Graph{Intended: list(a, item("b/1", "1", "b/1"))},
			"plan: intended items need each other: b/1 -> b/1"},
		{"seen cycle", plan.Graph{Seen: list(a, item("b/1", "1", "a/1"))},
			"plan: seen items need each other: a/1 -> b/1 -> a/1"},
		{"intended twice", plan.Graph{Intended: list(a, a)},
			"plan: two intended entries with key a/1"},
		{"seen twice", plan.Graph{Seen: list(a, a)}, "plan: two seen entries with key a/1"},
		{"called twice", plan.Graph{InFlight: []plan.Call{{Key: "k"}, {Key: "k"}}},
			"plan: two in-flight entries with key k"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := plan.Plan(c.graph); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestDirectionTurns(t *testing.T) {
	g := plan.Graph{
		Seen:     list(item("a/1", "on b", "b/1"), item("b/1", "alone")),
		Intended: list(item("a/1", "alone"), item("b/1", "on a", "a/1")),
	}
	rounds, err := plan.Dry(g)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rounds {
		for _, a := range r {
			got = append(got, a.Verb.String()+" "+a.Key)
		}
	}
	if d := cmp.Diff([]string{"modify a/1", "modify b/1"}, got); d != "" {
		t.Error(d)
	}
}
