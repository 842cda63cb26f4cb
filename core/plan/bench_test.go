package plan_test

import (
	"fmt"
	"testing"

	"github.com/evetwin/evetwin/core/plan"
)

// tree makes n items, each of them needing its parent in a tree where each has ten children.
func tree(n int) []plan.Item {
	items := make([]plan.Item, n)
	for i := range items {
		items[i] = item(fmt.Sprintf("item/%05d", i), "1")
		if i > 0 {
			items[i].Needs = []plan.Need{{Key: fmt.Sprintf("item/%05d", (i-1)/10)}}
		}
	}
	return items
}

func benchmark(b *testing.B, g plan.Graph) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.Plan(g); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNoop1000(b *testing.B) {
	benchmark(b, plan.Graph{Intended: tree(1000), Seen: tree(1000)})
}

func BenchmarkNoop10000(b *testing.B) {
	benchmark(b, plan.Graph{Intended: tree(10000), Seen: tree(10000)})
}

func BenchmarkCreate1000(b *testing.B) { benchmark(b, plan.Graph{Intended: tree(1000)}) }

func BenchmarkDelete1000(b *testing.B) { benchmark(b, plan.Graph{Seen: tree(1000)}) }

// BenchmarkCreateAll1000 plans every round from nothing to all there.
func BenchmarkCreateAll1000(b *testing.B) {
	items := tree(1000)
	for b.Loop() {
		if _, err := plan.Dry(plan.Graph{Intended: items}); err != nil {
			b.Fatal(err)
		}
	}
}
