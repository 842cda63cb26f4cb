package eveapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lf-edge/eve-api/go/config"
)

// However the library spaces a text in this build, it is the same behind steady.
func TestTextsDoNotDependOnTheBuild(t *testing.T) {
	const want = "proto: cannot parse invalid wire-format data"
	for _, text := range []string{want, "proto:\u00a0cannot parse invalid wire-format data",
		"proto:  cannot parse invalid wire-format data",
		"proto:\u00a0 cannot parse\u00a0invalid wire-format  data"} {
		cause := errors.New(text)
		err := steady(cause)
		if err.Error() != want || !errors.Is(err, cause) {
			t.Errorf("%q is %q, its cause is lost: %v", text, err, !errors.Is(err, cause))
		}
	}
	if err := steady(nil); err != nil {
		t.Errorf("no error is %v", err)
	}
}

// What does not parse says so in the same words in every build: in short
// bodies, in ones whose messages are counted first, in an envelope.
func TestNoTextOfTheLibraryGetsOut(t *testing.T) {
	long := make([]byte, countFrom+1)
	for i := range long {
		long[i] = 0xff
	}
	errs := map[string]error{
		"short": Unmarshal([]byte{0xff}, &config.EdgeDevConfig{}),
		"long":  Unmarshal(long, &config.EdgeDevConfig{}),
	}
	_, err := ParseEnvelope(long)
	errs["envelope"] = err
	for name, err := range errs {
		text := fmt.Sprint(err)
		if !strings.Contains(text, "proto: ") || strings.Contains(text, "\u00a0") ||
			strings.Contains(text, "  ") {
			t.Errorf("%s: %q", name, text)
		}
	}
}
