package archtest_test

import (
	"testing"

	"github.com/evetwin/evetwin/core/archtest"
)

// TestHouseRules holds the repository to every rule; each line is one place to mend.
func TestHouseRules(t *testing.T) {
	root, err := archtest.FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := archtest.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range archtest.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			lines, err := archtest.Report(tree, rule)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range lines {
				t.Error(line)
			}
		})
	}
}
