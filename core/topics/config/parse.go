package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Bounds of what a controller may send.
const (
	// MaxText bounds the value of a text item, in bytes.
	MaxText = 48 << 10
	// MaxErrors bounds the reported errors; the last of as many says how many more there are.
	MaxErrors = 100
)

// ItemError is a setting that was not taken as it was sent.
type ItemError struct {
	Key   string // as sent, cut to 200 bytes
	Value string // the value in force instead; empty for an unknown key
	Error string
}

// ItemStatus reports the settings that were not taken. Owner: zedagent.
type ItemStatus struct{ Errors []ItemError }

// Key is "global".
func (ItemStatus) Key() string { return entity.Global }

// Status is zedagent's topic; its row names what is wrong with the last settings received.
var Status = bus.NewTopic[ItemStatus](bus.Decl{Owner: "zedagent", Name: "ConfigItemStatus"})

// Parse reads a complete list of settings, as a controller or a file has it:
//
//   - what is not in the list has its default;
//   - of a key that comes twice the last counts;
//   - a value that is out of range or unreadable keeps what previous has, and is reported;
//   - an unknown key is reported; the log level of an agent needs no declaration.
//
// fromController says which defaults hold (see ConfigItemValueMap). previous may be nil.
func Parse(items []Value, previous *ConfigItemValueMap, fromController bool) (
	ConfigItemValueMap, []ItemError,
) {
	out := ConfigItemValueMap{FromController: fromController}
	var errs problems
	set := make([]Value, 0, len(items))
	for _, in := range items {
		key, text, wrong := readItem(in, previous)
		if wrong != "" {
			errs.add(ItemError{clip(in.Key, 200), clip(text, 200), wrong})
		}
		if key != "" {
			set = append(set, Value{key, text})
		}
	}
	slices.SortStableFunc(set, func(a, b Value) int { return strings.Compare(a.Key, b.Key) })
	total := 0
	for i, v := range set {
		if i+1 < len(set) && set[i+1].Key == v.Key {
			continue // a later one of the same key counts
		}
		if v.Value == Default(v.Key, fromController) {
			continue
		}
		if total += len(v.Key) + len(v.Value); total > maxRow || len(out.Values) == maxValues {
			errs.add(ItemError{v.Key, "", "all settings together are too large"})
			break
		}
		out.Values = append(out.Values, v)
	}
	return out, errs.list()
}

// readItem is the canonical key and value of an item; an empty key means it is not one.
func readItem(in Value, previous *ConfigItemValueMap) (key, text, wrong string) {
	it := find(in.Key)
	if it == nil {
		agent, ok := agentKey(in.Key)
		if !ok {
			return "", "", "unknown setting"
		}
		it = &Item{Key: agent, Kind: KindText, check: checkLogLevel}
	}
	if text, wrong = it.canonical(in.Value); wrong != "" {
		return it.Key, previous.Text(it.Key), "the value " + strconv.Quote(clip(in.Value, 60)) + " " +
			wrong + "; the previous one stays"
	}
	return it.Key, text, ""
}

// problems collects errors up to MaxErrors.
type problems struct {
	errs []ItemError
	more int
}

func (p *problems) add(e ItemError) {
	if len(p.errs) == MaxErrors {
		p.more++
		return
	}
	p.errs = append(p.errs, e)
}

func (p *problems) list() []ItemError {
	if p.more > 0 {
		last := &p.errs[len(p.errs)-1]
		*last = ItemError{last.Key, last.Value, "and " + strconv.Itoa(p.more+1) + " more errors"}
	}
	return p.errs
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}
