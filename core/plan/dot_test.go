package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/core/plan"
)

func TestDOT(t *testing.T) {
	route := plan.Item{Key: "route/d", Group: "ni/1", Spec: "via 1",
		Needs: []plan.Need{{Key: "link/eth0", Why: "output"}}}
	stale := item("set/s", "1", "link/eth0")
	g := plan.Graph{
		Intended: list(route, item("addr/a", "2")),
		Seen:     list(external("link/eth0", "up"), item("addr/a", "1"), stale),
		InFlight: []plan.Call{{Verb: plan.Create, Key: "route/d", Spec: "via 1"}},
	}
	want := `digraph plan {
	rankdir=LR;
	node [shape=box, style=filled];
	"addr/a" [label="addr/a\n1 -> 2", fillcolor=khaki, style="filled", penwidth=1];
	"link/eth0" [label="link/eth0\nup", fillcolor=lightgrey, style="filled", penwidth=1];
	"set/s" [label="set/s\n1", fillcolor=salmon, style="filled", penwidth=1];
	subgraph "cluster_ni/1" {
	label="ni/1";
	"route/d" [label="route/d\nvia 1\ncreate running", fillcolor=white, ` +
		`style="filled,dashed", penwidth=3];
	}
	"set/s" -> "link/eth0" [label="", style=dotted];
	"route/d" -> "link/eth0" [label="output", style=solid];
}
`
	if d := cmp.Diff(want, plan.DOT(g)); d != "" {
		t.Error(d)
	}
}
