package nim

import (
	"os"
	"strings"
	"testing"
)

// FuzzPortFile feeds the reader of port files: it takes a file or names what is wrong, and what it
// takes can be used as it stands.
func FuzzPortFile(f *testing.F) {
	for _, name := range []string{"explicit-proxy", "static-ips", "local-ni-multiple-ports"} {
		data, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"Key":"a/b","Ports":[{"Cost":-1,"VLAN":[],"Proxies":[null]}]}`))
	f.Add([]byte(`{"Ports":[{"IfName":"eth0","L2Type":2,"Bond":{"AggregatedPorts":"x"}},null,7]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parsePortFile(data, "override")
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without text")
			}
			return
		}
		if d.DPCKey == "" || d.TimePriority.IsZero() || len(d.Ports) == 0 || badKey(d.DPCKey) != "" {
			t.Errorf("taken in as %+v", d)
		}
		for i := range d.Ports {
			if p := &d.Ports[i]; p.InvalidConfig && refusal(p) == "" {
				t.Errorf("port %d is invalid without a reason", i)
			}
		}
	})
}
