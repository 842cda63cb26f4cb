package explore_test

import (
	"os"
	"testing"

	"github.com/evetwin/evetwin/scenarios/corpus"
)

func read(t *testing.T, file string) *corpus.Case {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := corpus.Read(file, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
