package nim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object read as EVE reads it: names match without regard to case, the last of
// equal names counts, null is nothing, unknown names are passed over. What EVE's types would refuse
// is an error that names the field; quoted numbers and booleans, which people write, are taken.
type object struct {
	path   string
	fields []field
	err    *error // the first one, shared by all objects of a file
}

type field struct {
	name string
	raw  json.RawMessage
}

// readObject takes an object apart.
func readObject(path string, data []byte, err *error) object {
	o := object{path: path, err: err}
	dec := json.NewDecoder(bytes.NewReader(data))
	if tok, e := dec.Token(); e != nil || tok != json.Delim('{') {
		o.fail("", "is not a JSON object")
		return o
	}
	for dec.More() {
		name, e := dec.Token()
		if e != nil {
			o.fail("", e.Error())
			return o
		}
		var raw json.RawMessage
		if e := dec.Decode(&raw); e != nil {
			o.fail(name.(string), e.Error())
			return o
		}
		o.fields = append(o.fields, field{name.(string), raw})
	}
	return o
}

func (o object) fail(name, reason string) {
	if *o.err != nil {
		return
	}
	where := strings.Trim(o.path+"."+name, ".")
	if where == "" {
		*o.err = fmt.Errorf("the file %s", reason)
		return
	}
	*o.err = fmt.Errorf("%s: %s", where, reason)
}

// get is the value of the last field of that name, nil if there is none or it is null.
func (o object) get(name string) json.RawMessage {
	for i := len(o.fields) - 1; i >= 0; i-- {
		if strings.EqualFold(o.fields[i].name, name) {
			if raw := o.fields[i].raw; string(raw) != "null" {
				return raw
			}
			return nil
		}
	}
	return nil
}

func (o object) text(name string) string {
	raw := o.get(name)
	if raw == nil {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		o.fail(name, "is not a text: "+short(raw))
	}
	return s
}

// number reads an unsigned integer of so many bits, quoted or not.
func (o object) number(name string, bits int) uint64 {
	raw := o.get(name)
	if raw == nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.Trim(string(raw), `"`), 10, bits)
	if err != nil {
		o.fail(name, fmt.Sprintf("is not a number from 0 to %d: %s", uint64(1)<<bits-1, short(raw)))
	}
	return n
}

func (o object) flag(name string) bool {
	switch raw := o.get(name); strings.ToLower(strings.Trim(string(raw), `"`)) {
	case "true", "1":
		return true
	case "false", "0", "":
		return false
	default:
		o.fail(name, "is neither true nor false: "+short(raw))
		return false
	}
}

// addr reads an address; an empty text is none.
func (o object) addr(name string) netip.Addr {
	a, err := parseAddr(o.text(name))
	if err != nil {
		o.fail(name, err.Error())
	}
	return a
}

func parseAddr(s string) (netip.Addr, error) {
	if s = strings.TrimSpace(s); s == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return a, fmt.Errorf("is not an IP address: %q", s)
	}
	return a.Unmap(), nil
}

// texts reads a list of texts; a single text is a list of one.
func (o object) texts(name string) []string {
	raw := o.get(name)
	if raw == nil {
		return nil
	}
	if raw[0] == '"' {
		if s := o.text(name); s != "" {
			return []string{s}
		}
		return nil
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		o.fail(name, "is not a list of texts: "+short(raw))
	}
	return list
}

func (o object) addrs(name string) []netip.Addr {
	var out []netip.Addr
	for i, s := range o.texts(name) {
		a, err := parseAddr(s)
		if err != nil {
			o.fail(fmt.Sprintf("%s[%d]", name, i), err.Error())
		} else if a.IsValid() {
			out = append(out, a)
		}
	}
	return out
}

// instant reads a time as RFC 3339; none is the zero time.
func (o object) instant(name string) time.Time {
	s := o.text(name)
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		o.fail(name, fmt.Sprintf("is not a time like 2000-01-01T00:00:00Z: %q", s))
	}
	return at.UTC()
}

// child reads an object below this one; an absent one is empty.
func (o object) child(name string) object {
	raw := o.get(name)
	if raw == nil {
		return object{path: o.path + "." + name, err: o.err}
	}
	return readObject(strings.Trim(o.path+"."+name, "."), raw, o.err)
}

// children reads a list of objects.
func (o object) children(name string) []object {
	raw := o.get(name)
	if raw == nil {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		o.fail(name, "is not a list: "+short(raw))
	}
	var out []object
	for i, r := range list {
		path := strings.Trim(fmt.Sprintf("%s.%s[%d]", o.path, name, i), ".")
		out = append(out, readObject(path, r, o.err))
	}
	return out
}

// short is a value as it is shown in an error.
func short(raw []byte) string {
	if len(raw) > 40 {
		return string(raw[:40]) + "..."
	}
	return string(raw)
}
