package config

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a setting's value.
type Kind uint8

// Kinds of settings.
const (
	KindUint     Kind = iota // base-10 number between Min and Max
	KindBool                 // "true" or "false"
	KindTristate             // "none", "enabled" or "disabled"
	KindText                 // text, which may have to pass a check
)

// Unit says what an integer item counts.
type Unit uint8

// Units of integer items.
const (
	Count Unit = iota
	Seconds
	Minutes
	Hours
	Percent
	Bytes
	MiB
	MB
	GB
)

// String is the unit as it is shown.
func (u Unit) String() string {
	names := [...]string{"", "s", "min", "h", "%", "bytes", "MiB", "MB", "GB"}
	return names[min(int(u), len(names)-1)]
}

// Item declares one setting.
type Item struct {
	Key  string
	Kind Kind
	// Default is the value where nothing is configured, in canonical text.
	Default string
	// Early is the default until the first configuration of a controller was seen; empty where it is
	// no other.
	Early string
	Unit  Unit
	Min   uint32 // of an integer item
	Max   uint32 // of an integer item

	check func(string) string // of a text item: what is wrong with it, empty if nothing
}

// All lists the declared settings by key.
func All() []Item { return append([]Item(nil), table[:]...) }

// Default is the default text of a declared item; an undeclared key panics, unless it is the log
// level of an agent ("agent.nim.debug.loglevel"), which has none.
func Default(key string, fromController bool) string {
	it := find(key)
	if it == nil {
		if _, ok := agentKey(key); ok {
			return ""
		}
		panic("config: " + key + " is not declared")
	}
	return it.text(fromController)
}

func (i *Item) text(fromController bool) string {
	if !fromController && i.Early != "" {
		return i.Early
	}
	return i.Default
}

// find is the declaration of a key, nil if there is none.
func find(key string) *Item {
	i := sort.Search(len(table), func(i int) bool { return table[i].Key >= key })
	if i < len(table) && table[i].Key == key {
		return &table[i]
	}
	return nil
}

// agentKey recognizes the log level of one agent, in today's form "agent.<name>.debug.loglevel"
// and in the old one "debug.<name>.loglevel", both also with "remote.loglevel"; it returns
// today's form.
func agentKey(key string) (string, bool) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(key, "agent."), ".")
	switch {
	case strings.HasPrefix(key, "agent."):
		if rest, ok = strings.CutPrefix(rest, "debug."); !ok {
			return "", false
		}
	case name == "debug" && ok:
		if name, rest, ok = strings.Cut(rest, "."); !ok {
			return "", false
		}
	default:
		return "", false
	}
	if rest != "loglevel" && rest != "remote.loglevel" || !isWord(name) {
		return "", false
	}
	return "agent." + name + ".debug." + rest, true
}

func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// canonical is the value in canonical text, or what is wrong with it.
func (i *Item) canonical(value string) (text, wrong string) {
	switch i.Kind {
	case KindUint:
		n, err := strconv.ParseUint(value, 10, 32)
		switch {
		case err != nil:
			return "", "is not a whole number below 4294967296"
		case uint32(n) < i.Min || uint32(n) > i.Max:
			return "", "is not between " + strconv.FormatUint(uint64(i.Min), 10) + " and " +
				strconv.FormatUint(uint64(i.Max), 10)
		}
		return strconv.FormatUint(n, 10), ""
	case KindBool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return "", "is neither true nor false"
		}
		return strconv.FormatBool(b), ""
	case KindTristate:
		switch value {
		case "none":
			return TristateNone, ""
		case "enabled", "enable", "on":
			return TristateEnabled, ""
		case "disabled", "disable", "off":
			return TristateDisabled, ""
		}
		return "", "is not one of none, enabled, disabled"
	}
	if !utf8.ValidString(value) {
		return "", "is not text in UTF-8"
	}
	if len(value) > MaxText {
		return "", "is longer than " + strconv.Itoa(MaxText) + " bytes"
	}
	if i.check != nil {
		return value, i.check(value)
	}
	return value, ""
}
