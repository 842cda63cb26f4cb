package conform

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// outcomes is the name under which a transcript has the ends of calls.
const outcomes = "outcomes"

// transcript writes down what is seen of a part in a case: rows by topic, in the order in which the
// part put them, and the outcomes of calls. How topics and outcomes lie between each other is left
// to chance by the bus, so it is no part of it; that rows come before the outcomes they belong to
// is checked with every call.
type transcript struct {
	show map[string]func(row any) string

	mu   sync.Mutex
	on   bool
	seen map[string][]string
}

// begin starts a case.
func (x *transcript) begin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.on, x.seen = true, map[string][]string{}
}

// end ends a case and returns what was seen.
func (x *transcript) end() map[string][]string {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.on = false
	return x.seen
}

// rows takes rows as they become visible.
func (x *transcript) rows(_ *host.Kernel, _ *host.Source, rows []host.Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range rows {
		if c.Topic == rings.Decl || !x.on {
			continue
		}
		topic := c.Topic.String()
		text := c.Key + " gone"
		if c.Val != nil {
			text = x.row(topic, c.Val)
		}
		if text != "" {
			x.seen[topic] = append(x.seen[topic], text)
		}
	}
}

// row is how a row reads.
func (x *transcript) row(topic string, row any) string {
	if f := x.show[topic]; f != nil {
		return f(row)
	}
	return fmt.Sprintf("%+v", reflect.Indirect(reflect.ValueOf(row)))
}

// outcome takes the outcome of a call.
func (x *transcript) outcome(op, key string, f *agent.Fault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.on {
		return
	}
	text := op + " " + key + " done"
	if f != nil {
		text = fmt.Sprintf("%s %s fault %s, retry %v", op, key, f.Code, f.Retry)
	}
	x.seen[outcomes] = append(x.seen[outcomes], text)
}

// difference is where two transcripts part first, or empty.
func difference(model, real map[string][]string) string {
	var topics []string
	for t := range model {
		topics = append(topics, t)
	}
	for t := range real {
		if _, ok := model[t]; !ok {
			topics = append(topics, t)
		}
	}
	slices.Sort(topics)
	for _, t := range topics {
		a, b := model[t], real[t]
		for i := range max(len(a), len(b)) {
			was, is := "nothing more", "nothing more"
			if i < len(a) {
				was = a[i]
			}
			if i < len(b) {
				is = b[i]
			}
			if was != is {
				return strings.Join([]string{fmt.Sprintf("%s, number %d:", t, i+1),
					"the model: " + was, "the real part: " + is}, "\n      ")
			}
		}
	}
	return ""
}
