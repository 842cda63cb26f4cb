package readjson_test

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi/readjson"
)

func TestArchitectureOfAModel(t *testing.T) {
	const rest = `"ioMemberList": [{"ztype": 1, "phylabel": "eth0"}]}`
	for field, want := range map[string]string{
		"": "", `"arch": 0,`: "", `"arch": 2,`: "amd64", `"arch": 4,`: "arm64", `"arch": "4",`: "arm64",
	} {
		m, err := readjson.ReadModel("m.json", []byte("{"+field+rest))
		if err != nil || m.Arch != want {
			t.Errorf("%s is %+v, %v, want %q", field, m, err, want)
		}
	}
	for field, why := range map[string]string{
		`"arch": 3,`:       "m.json: arch: 3 is neither 2 (amd64) nor 4 (arm64)",
		`"arch": "arm64",`: `m.json: arch: "arm64" is neither`,
		`"arch": [],`:      "m.json: arch: a list is neither",
	} {
		_, err := readjson.ReadModel("m.json", []byte("{"+field+rest))
		if err == nil || !strings.HasPrefix(err.Error(), why) {
			t.Errorf("%s: %v, want %s", field, err, why)
		}
	}
}
