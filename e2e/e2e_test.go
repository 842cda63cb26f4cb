package e2e_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "scenarios on real parts")
}

// slice reads EVETWIN_SLICE: "k/n" selects every nth scenario from the kth on, counted from 0.
func slice() (k, n int) {
	if _, err := fmt.Sscanf(os.Getenv("EVETWIN_SLICE"), "%d/%d", &k, &n); err != nil || n < 1 {
		return 0, 1
	}
	return k % n, n
}

// chosen are the scenarios of this slice that run in real time. A slice that would be empty takes
// one.
func chosen() []*scenario.Scenario {
	var all, out []*scenario.Scenario
	for _, s := range scenarios.All() {
		if s.RunsOn(scenario.Live) {
			all = append(all, s)
		}
	}
	k, n := slice()
	for i, s := range all {
		if i%n == k {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		out = append(out, all[k%len(all)])
	}
	return out
}

var _ = Describe("a device with a software TPM and QEMU guests", func() {
	for _, sc := range chosen() {
		It("does "+sc.Name, func(ctx SpecContext) {
			run(ctx, sc)
		}, SpecTimeout(5*time.Minute))
	}
})

func run(ctx context.Context, sc *scenario.Scenario) {
	GinkgoHelper()
	h, done, err := scenario.NewLive(ctx, scenario.LiveOptions{Hyper: "qemu", Tpm: "swtpm",
		Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}})
	Expect(err).NotTo(HaveOccurred())
	r := sc.Run(h, 1)
	Expect(done()).To(Succeed())
	Expect(r.Error).To(BeEmpty(), r.Causes)
	for _, id := range sc.Covers {
		fmt.Printf("covers: %s host=qemu name=%s ok\n", id, sc.Name)
	}
}
