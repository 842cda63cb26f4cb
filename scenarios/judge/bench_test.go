package judge_test

import (
	"testing"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/judge"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// BenchmarkRules runs a scenario without rules and under all of them.
func BenchmarkRules(b *testing.B) {
	for _, name := range []string{"life-crashes", "agent-crashes"} {
		sc, err := scenarios.Find(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, on := range []bool{false, true} {
			kind := name + "/without"
			if on {
				kind = name + "/with"
			}
			b.Run(kind, func(b *testing.B) {
				for seed := uint64(1); b.Loop(); seed++ {
					var around []scenario.Around
					if on {
						around = append(around, judge.New(judge.Options{Rules: check.Rules()}))
					}
					h, err := scenario.NewVirtualWorld(sim.Options{Seed: 1 + seed%4}, nil, around...)
					if err != nil {
						b.Fatal(err)
					}
					if r := sc.Run(h, 1+seed%4); !r.OK {
						b.Fatal(r.Error)
					}
				}
			})
		}
	}
}
