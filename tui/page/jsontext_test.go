package page

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/tui/widget"
)

// shown is a row as it is shown, without roles.
func shown(b widget.Block) string {
	var out []string
	for _, l := range b {
		out = append(out, strings.TrimRight(l.String(), " "))
	}
	return strings.Join(out, "\n")
}

func row(have int64) (*content.DownloaderStatus, []byte) {
	r := &content.DownloaderStatus{ImageSha256: "ab", Name: `a "b"`, State: entity.DOWNLOADING,
		CurrentSize: have}
	b, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return r, b
}

func TestRowAsText(t *testing.T) {
	r, b := row(7)
	got := shown(fieldLines(fieldsOf(b, r), nil, true, 60))
	want := `{
  "ImageSha256": "ab",
  "Name": "a \"b\"",
  "State": 103,  // DOWNLOADING
  "CurrentSize": 7,
}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	all := shown(fieldLines(fieldsOf(b, r), nil, false, 60))
	if !strings.Contains(all, `"Expired": false`) {
		t.Errorf("empty fields do not show:\n%s", all)
	}
}

func TestAnyJSONAsText(t *testing.T) {
	for in, want := range map[string]string{
		`[1,2,3]`: `[1, 2, 3]`,
		`{"a":["x"],"b":{"c":null,"d":true}}`: "{\n  \"a\": [\"x\"],\n  \"b\": {\n    \"c\": null,\n" +
			"    \"d\": true\n  }\n}",
		`{}`:                   `{}`,
		`"text"`:               `"text"`,
		`12345678901234567890`: `12345678901234567890`,
		`{"a":`:                `{"a":  // read JSON: EOF`,
		`nonsense`: `nonsense  // read JSON: ` +
			`invalid character 'o' in literal null (expecting 'u')`,
	} {
		got := shown(fieldLines(fieldsOf([]byte(in), json.RawMessage(in)), nil, false, 100))
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
	deep := strings.Repeat("[", 10000) + strings.Repeat("]", 10000)
	if got := fieldsOf([]byte(deep), json.RawMessage(deep)); len(got) != 1 {
		t.Errorf("a deep one has %d lines", len(got))
	}
	wide := "[" + strings.Repeat("10,", 100000) + "1]"
	if got := fieldsOf([]byte(wide), json.RawMessage(wide)); len(got) > maxFields+1 {
		t.Errorf("a wide one has %d lines", len(got))
	}
}

func TestChangedFields(t *testing.T) {
	was, before := row(7)
	now, _ := row(8)
	now.Error = "it is new"
	after, _ := json.Marshal(now)
	got := slices.Sorted(maps.Keys(changedPaths(fieldsOf(after, now), fieldsOf(before, was))))
	if want := []string{".CurrentSize", ".Error"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 1000: "1.0 KiB",
		1536 << 10: "1.5 MiB", 500 << 20: "500 MiB", 21 << 30: "21.0 GiB"} {
		if got := size(n); got != want {
			t.Errorf("%v is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{1: "1 line", 0: "0 lines", 2: "2 lines"} {
		if got := count(n, "line"); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	for sec, want := range map[int64]string{-5: "0s", 0: "0s", 59: "59s", 61: "1m01s", 3700: "1h01m",
		90000: "1d01h"} {
		if got := span(time.Duration(sec) * time.Second); got != want {
			t.Errorf("%d s is %q, want %q", sec, got, want)
		}
	}
	if got := clock(3723004 * time.Millisecond); got != "01:02:03.004" {
		t.Error(got)
	}
	if got := fmt.Sprint(revision(7), " ", revision(2<<32+9)); got != "7 2.9" {
		t.Error(got)
	}
}
