package content

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/topics/entity"
)

func TestErrorOfAContentTreesStatusIsItsOwn(t *testing.T) {
	s := ContentTreeStatus{ContentTreeConfig: ContentTreeConfig{ParseError: "of the configuration"}}
	if s.Error != "" || s.HasError() {
		t.Errorf("the status has the error %q before it has any", s.Error)
	}
	s.SetFrom("blob", entity.ErrorDescription{Error: "of the status"}, time.Time{})
	if s.Error != "of the status" || s.ParseError != "of the configuration" {
		t.Errorf("error %q, parse error %q", s.Error, s.ParseError)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"Error":"of the status"`, `"ParseError":"of the configuration"`} {
		if !strings.Contains(string(b), field) {
			t.Errorf("%s lacks %s", b, field)
		}
	}
}
