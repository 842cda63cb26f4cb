package scenario

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// state is what every Status topic of every device holds, but for times, counters and revisions:
// two runs that end alike have equal states.
func (s *S) state() string {
	var out strings.Builder
	for _, d := range s.devices {
		if m, ok := d.m.(Tables); ok {
			m.All(func(topic, key string, row []byte) {
				if tells(topic) {
					fmt.Fprintf(&out, "%s/%s %s\n", topic, key, Essence(row))
				}
			})
			continue
		}
		d.m.Read(func(k *host.Kernel) {
			if k != nil {
				writeState(&out, k)
			}
		})
	}
	s.host.With(func(c *controllersim.Controller) { writeHeld(&out, c) })
	return out.String()
}

func writeState(out *strings.Builder, k *host.Kernel) {
	for _, t := range k.Topics() {
		if !tells(t.Name) || t.Life == bus.Local {
			continue
		}
		h, _ := k.Head(t)
		for key, row := range h.All() {
			b, err := json.Marshal(row)
			if err != nil {
				panic(fmt.Sprintf("scenario: encode %s/%s: %v", t, key, err))
			}
			fmt.Fprintf(out, "%s/%s %s\n", t, key, Essence(b))
		}
	}
}

// tells reports whether a topic belongs to the state.
func tells(topic string) bool {
	return strings.HasSuffix(topic, "Status") || strings.HasSuffix(topic, "Config")
}

// volatile are the fields that differ between two runs that end alike: times, counters, revisions.
var volatile = []string{"Time", "time", "Since", "LastSucceeded", "LastFailed", "LastIPAndDNS",
	"LastUse", "LastRetry", "StartedAt", "ActivatedAt", "LastReceivedConfig", "LastProcessedConfig",
	"Tries", "TriedCount", "RetryCount", "Turns", "RestartCounter", "LastError", "LastWarning",
	"DomainId", "OrigError", "PortConfigTest"}

// Essence is a JSON document without its volatile fields, fields in order.
func Essence(doc []byte) string {
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		return string(doc)
	}
	b, err := json.Marshal(prune(v))
	if err != nil {
		return string(doc)
	}
	return string(b)
}

func prune(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for _, k := range keys(x) {
			if k == "Of" || isVolatile(k) {
				delete(x, k)
				continue
			}
			x[k] = prune(x[k])
		}
		return x
	case []any:
		for i := range x {
			x[i] = prune(x[i])
		}
		return x
	}
	return v
}

func keys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m { //order: sorted below
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func isVolatile(k string) bool {
	for _, v := range volatile {
		if strings.Contains(k, v) {
			return true
		}
	}
	return false
}

// writeHeld adds what the controller holds of each device: the last info of each entity.
func writeHeld(out *strings.Builder, c *controllersim.Controller) {
	for _, d := range c.Fleet().Devices() {
		fmt.Fprintf(out, "held %s\n", d.Name())
		for _, line := range heldStates(d) {
			out.WriteString(line + "\n")
		}
	}
}
