package world

import (
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxItems limits the length of every list of a model.
const maxItems = 4096

// maxText limits the length of names and addresses in bytes.
const maxText = 1024

// enums are the words that fields with an enum tag take; empty is the default and always good.
var enums = map[string][]string{
	"mode": {"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad",
		"balance-tlb", "balance-alb"},
	"rate":   {"slow", "fast"},
	"proto":  {"any", "tcp", "udp", "icmp"},
	"rule":   {"allow", "reject", "drop"},
	"stack":  {"ipv4-only", "ipv6-only", "dual-stack"},
	"proxy":  {"forward", "reject", "mitm"},
	"listen": {"http", "https"},
}

// decoder fills a Model from a tree and notes what does not fit, with its place.
type decoder struct {
	findings
	unknown []string
	label   string // of the innermost item around the value
}

// value decodes n into dst; null leaves it as it is.
func (d *decoder) value(path, enum string, n *node, dst reflect.Value) {
	if n.kind == "null" || d.address(path, n, dst) {
		return
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		d.value(path, enum, n, dst.Elem())
	case reflect.Struct:
		if d.is(path, n, "object") {
			d.object(path, n, dst)
		}
	case reflect.Slice:
		if d.is(path, n, "list") {
			d.list(path, n, dst)
		}
	case reflect.Map:
		if d.is(path, n, "object") {
			d.table(path, n, dst)
		}
	case reflect.String:
		if d.is(path, n, "string") {
			d.word(path, enum, n.text)
			d.length(path, n.text)
			dst.SetString(n.text)
		}
	case reflect.Bool:
		if d.is(path, n, "boolean") {
			dst.SetBool(n.yes)
		}
	default:
		if d.is(path, n, "number") {
			d.number(path, n.text, dst)
		}
	}
}

// is notes it if n is not of the kind that the field needs.
func (d *decoder) is(path string, n *node, kind string) bool {
	if n.kind != kind {
		d.add(path, d.label, "must be %s, is %s", article(kind), article(n.kind))
	}
	return n.kind == kind
}

// address decodes addresses, subnets and MACs; false if dst is something else.
func (d *decoder) address(path string, n *node, dst reflect.Value) bool {
	var err error
	var what string
	switch p := dst.Addr().Interface().(type) {
	case *netip.Addr:
		if what = "an IP address"; d.is(path, n, "string") && n.text != "" {
			*p, err = netip.ParseAddr(n.text)
			if *p = p.Unmap(); err == nil && p.Zone() != "" {
				err = strconv.ErrSyntax
			}
		}
	case *netip.Prefix:
		if what = "a subnet such as 10.0.0.0/24"; d.is(path, n, "string") && n.text != "" {
			*p, err = netip.ParsePrefix(n.text)
			*p = p.Masked()
		}
	case *MAC:
		if what = "a MAC address"; d.is(path, n, "string") && n.text != "" {
			*p, err = ParseMAC(n.text)
		}
	default:
		return false
	}
	if err != nil {
		d.add(path, d.label, "not %s: %s", what, quoted(n.text))
		dst.SetZero()
	}
	return true
}

func (d *decoder) word(path, enum, text string) {
	if words := enums[enum]; enum != "" && text != "" && !slices.Contains(words, text) {
		d.add(path, d.label, "must be one of %s, is %s", strings.Join(words, ", "), quoted(text))
	}
}

// length bounds texts other than certificates, keys and what servers serve.
func (d *decoder) length(path, text string) {
	large := strings.HasSuffix(path, "PEM") || strings.HasSuffix(path, ".content")
	if len(text) > maxText && !large {
		d.add(path, d.label, "has %d bytes, more than %d", len(text), maxText)
	}
}

func (d *decoder) number(path, text string, dst reflect.Value) {
	bits := dst.Type().Bits()
	v, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		d.add(path, d.label, "must be a whole number from 0 to %d, is %s",
			uint64(1)<<bits-1, plain(text))
		return
	}
	dst.SetUint(v)
}

func (d *decoder) list(path string, n *node, dst reflect.Value) {
	if len(n.vals) > maxItems {
		d.add(path, d.label, "has %d items, more than %d", len(n.vals), maxItems)
		return
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(n.vals), len(n.vals)))
	for i, v := range n.vals {
		d.value(index(path, i), "", v, dst.Index(i))
	}
}

// table decodes an object whose field names are data.
func (d *decoder) table(path string, n *node, dst reflect.Value) {
	dst.Set(reflect.MakeMap(dst.Type()))
	for i, key := range n.keys {
		v := reflect.New(dst.Type().Elem()).Elem()
		d.value(path+"["+quoted(key)+"]", "", n.vals[i], v)
		dst.SetMapIndex(reflect.ValueOf(key), v)
	}
}

func (d *decoder) object(path string, n *node, dst reflect.Value) {
	outer := d.label
	if l := n.field("logicalLabel"); l != nil && l.kind == "string" {
		d.label = l.text
	}
	for i, key := range n.keys {
		at := key
		if path != "" {
			at = path + "." + plain(key)
		}
		if f, enum, ok := fieldFor(dst, key); ok {
			d.value(at, enum, n.vals[i], f)
		} else {
			d.unknown = append(d.unknown, plain(at))
		}
	}
	d.label = outer
}

// fieldFor finds the field of a struct, or of one embedded in it, that a JSON key means. Case
// does not matter, as it does not for Eden.
func fieldFor(dst reflect.Value, key string) (f reflect.Value, enum string, ok bool) {
	t := dst.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous {
			if f, enum, ok = fieldFor(dst.Field(i), key); ok {
				return f, enum, true
			}
		} else if tag := sf.Tag.Get("json"); tag != "-" && strings.EqualFold(tag, key) {
			return dst.Field(i), sf.Tag.Get("enum"), true
		}
	}
	return reflect.Value{}, "", false
}
