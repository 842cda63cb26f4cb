// Package config is the device's settings ("config items"): their declaration, and the row that
// carries their values to every agent. Owner: zedagent.
package config

import (
	"sort"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Value is one setting that differs from its default.
type Value struct {
	Key   string
	Value string // canonical text: base-10 number, "true"/"false", tristate name, or free text
}

// ConfigItemValueMap holds the settings in force, sorted by key; what is not in it has its default.
type ConfigItemValueMap struct {
	Values []Value
	// FromController is false until the first configuration of a controller was seen: some defaults
	// differ before it (debug.enable.usb, debug.enable.vga, debug.enable.console).
	FromController bool
}

// Key is "global".
func (ConfigItemValueMap) Key() string { return entity.Global }

// Limits of the row of settings.
const (
	maxValues = 1000
	maxRow    = 128 << 10
)

// Items is zedagent's topic of settings; it is complete once the initial values are known.
var Items = bus.NewTopic[ConfigItemValueMap](bus.Decl{
	Owner: "zedagent", Name: "ConfigItemValueMap", MaxBytes: 256 << 10})

// Text is the value of a key as text: what was set, else its default. A nil map has defaults.
func (m *ConfigItemValueMap) Text(key string) string {
	if m != nil {
		i := sort.Search(len(m.Values), func(i int) bool { return m.Values[i].Key >= key })
		if i < len(m.Values) && m.Values[i].Key == key {
			return m.Values[i].Value
		}
	}
	return Default(key, m != nil && m.FromController)
}

// Uint is the value of an integer item; an undeclared key panics.
func (m *ConfigItemValueMap) Uint(key string) uint32 {
	n, err := strconv.ParseUint(m.Text(key), 10, 32)
	if err != nil {
		panic("config: " + key + " is no integer item")
	}
	return uint32(n)
}

// Seconds is the value of an integer item that counts seconds.
func (m *ConfigItemValueMap) Seconds(key string) time.Duration {
	return time.Duration(m.Uint(key)) * time.Second
}

// Bool is the value of a boolean item; a tristate item is true when enabled.
func (m *ConfigItemValueMap) Bool(key string) bool {
	t := m.Text(key)
	return t == "true" || t == "enabled"
}

// LogLevel is the level of an agent's log lines, of those sent to the controller if remote: what is
// set for that agent, else the default of all.
func (m *ConfigItemValueMap) LogLevel(agent string, remote bool) string {
	own, all := "agent."+agent+".debug.loglevel", DefaultLogLevel
	if remote {
		own, all = "agent."+agent+".debug.remote.loglevel", DefaultRemoteLogLevel
	}
	if t := m.Text(own); t != "" {
		return t
	}
	return m.Text(all)
}
