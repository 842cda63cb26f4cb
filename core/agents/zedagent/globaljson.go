package zedagent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/topics/config"
)

// globalValue is one setting as EVE stores it; ItemType says which field counts.
type globalValue struct {
	ItemType      int
	IntValue      uint32
	StrValue      string
	BoolValue     bool
	TriStateValue int
}

// readGlobal reads /config/GlobalConfig/global.json: either EVE's own form, settings with their
// types below "GlobalSettings" and "AgentSettings", or a flat object of keys and values.
func readGlobal(data []byte) ([]config.Value, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, fmt.Errorf("parse JSON: %w", err)
	}
	typed, hasTyped := top["GlobalSettings"]
	agents, hasAgents := top["AgentSettings"]
	if !hasTyped && !hasAgents {
		return readFlat(top)
	}
	out := []config.Value{}
	if hasTyped {
		if err := readTyped(&out, "", typed); err != nil {
			return nil, err
		}
	}
	if hasAgents {
		var byAgent map[string]json.RawMessage
		if err := json.Unmarshal(agents, &byAgent); err != nil {
			return nil, fmt.Errorf("parse AgentSettings: %w", err)
		}
		for _, name := range keysOf(byAgent) {
			if err := readTyped(&out, "agent."+name+".", byAgent[name]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func readTyped(out *[]config.Value, prefix string, raw json.RawMessage) error {
	var values map[string]globalValue
	if err := json.Unmarshal(raw, &values); err != nil {
		return fmt.Errorf("parse settings: %w", err)
	}
	for _, key := range keysOf(values) {
		*out = append(*out, config.Value{Key: prefix + key, Value: values[key].text()})
	}
	return nil
}

// text is the value in the form settings are sent in; the types have EVE's numbers.
func (v globalValue) text() string {
	switch v.ItemType {
	case 1:
		return strconv.FormatUint(uint64(v.IntValue), 10)
	case 2:
		return strconv.FormatBool(v.BoolValue)
	case 4:
		names := [...]string{config.TristateNone, config.TristateDisabled, config.TristateEnabled}
		if v.TriStateValue >= 0 && v.TriStateValue < len(names) {
			return names[v.TriStateValue]
		}
		return strconv.Itoa(v.TriStateValue)
	}
	return v.StrValue
}

// readFlat reads {"key": value}: text, or a number, or true and false.
func readFlat(top map[string]json.RawMessage) ([]config.Value, error) {
	out := []config.Value{}
	for _, key := range keysOf(top) {
		text := string(top[key])
		switch {
		case strings.HasPrefix(text, `"`):
			if err := json.Unmarshal(top[key], &text); err != nil {
				return nil, fmt.Errorf("parse %q: %w", key, err)
			}
		case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["), text == "null":
			return nil, fmt.Errorf("parse %q: it is neither text nor number nor boolean", key)
		}
		out = append(out, config.Value{Key: key, Value: text})
	}
	return out, nil
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m { //order: sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
