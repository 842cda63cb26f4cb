package readjson

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// decoder fills protobuf messages from JSON trees.
type decoder struct {
	file    string
	unknown []string
	more    int // unknown fields that are not listed
}

func (d *decoder) refuse(path string, v value, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %s %s", d.file, path, show(v), fmt.Sprintf(format, args...))
}

func (d *decoder) skip(path string) {
	if len(d.unknown) < maxUnknown {
		d.unknown = append(d.unknown, path)
	} else {
		d.more++
	}
}

// skipped lists the fields that do not exist, by path, in the order of the file.
func (d *decoder) skipped() []string {
	if d.more > 0 {
		return append(d.unknown, fmt.Sprintf("and %d more", d.more))
	}
	return d.unknown
}

func join(path, name string) string {
	name = plain(name)
	if path == "" {
		return name
	}
	return path + "." + name
}

// plain makes a field's name fit for a line of text: short and without control characters.
func plain(name string) string {
	if len(name) > 60 {
		name = name[:60] + "..."
	}
	return strings.Trim(strconv.QuoteToGraphic(strings.ToValidUTF8(name, "?")), `"`)
}

// message fills m from an object. except may name fields that the caller reads itself.
func (d *decoder) message(m protoreflect.Message, o *object, path string, except ...string) error {
	fields := m.Descriptor().Fields()
	var seen []protoreflect.FieldNumber
next:
	for _, f := range o.fields {
		for _, e := range except {
			if f.name == e {
				continue next
			}
		}
		at := join(path, f.name)
		fd := fields.ByJSONName(f.name)
		if fd == nil {
			fd = fields.ByTextName(f.name)
		}
		switch {
		case fd == nil:
			d.skip(at)
			continue
		case f.val == nil:
			continue
		}
		if slices.Contains(seen, fd.Number()) {
			return fmt.Errorf("%s: %s: it is there twice", d.file, at)
		}
		seen = append(seen, fd.Number())
		if one := fd.ContainingOneof(); one != nil && !one.IsSynthetic() {
			if other := m.WhichOneof(one); other != nil && other != fd {
				return d.refuse(at, f.val, "cannot stand beside %s", other.JSONName())
			}
		}
		if err := d.field(m, fd, f.val, at); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) field(m protoreflect.Message, fd protoreflect.FieldDescriptor, v value,
	path string,
) error {
	switch {
	case fd.IsMap():
		return d.mapField(m.Mutable(fd).Map(), fd, v, path)
	case fd.IsList():
		items, ok := v.([]value)
		if !ok {
			return d.refuse(path, v, "is not a list")
		}
		list := m.NewField(fd).List()
		for i, item := range items {
			at := fmt.Sprintf("%s[%d]", path, i)
			one := protoreflect.Value{}
			if fd.Message() != nil {
				one = list.NewElement()
			}
			one, err := d.single(fd, one, item, at)
			if err != nil {
				return err
			}
			list.Append(one)
		}
		m.Set(fd, protoreflect.ValueOfList(list))
		return nil
	}
	one := protoreflect.Value{}
	if fd.Message() != nil {
		one = m.NewField(fd)
	}
	one, err := d.single(fd, one, v, path)
	if err == nil {
		m.Set(fd, one)
	}
	return err
}

func (d *decoder) mapField(m protoreflect.Map, fd protoreflect.FieldDescriptor, v value,
	path string,
) error {
	o, ok := v.(*object)
	if !ok {
		return d.refuse(path, v, "is not an object")
	}
	if fd.MapKey().Kind() != protoreflect.StringKind {
		return d.refuse(path, v, "is a map whose keys are not text")
	}
	for _, f := range o.fields {
		one := protoreflect.Value{}
		if fd.MapValue().Message() != nil {
			one = m.NewValue()
		}
		one, err := d.single(fd.MapValue(), one, f.val, join(path, f.name))
		if err != nil {
			return err
		}
		key := protoreflect.ValueOfString(strings.ToValidUTF8(f.name, "\uFFFD")).MapKey()
		if m.Has(key) {
			return fmt.Errorf("%s: %s: it is there twice", d.file, join(path, f.name))
		}
		m.Set(key, one)
	}
	return nil
}

// single reads one value of a field's kind. For a message, into is an empty one.
func (d *decoder) single(fd protoreflect.FieldDescriptor, into protoreflect.Value, v value,
	path string,
) (protoreflect.Value, error) {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return into, d.submessage(into.Message(), v, path)
	case protoreflect.BoolKind:
		if b, ok := v.(bool); ok {
			return protoreflect.ValueOfBool(b), nil
		}
		return into, d.refuse(path, v, "is neither true nor false")
	case protoreflect.StringKind:
		if s, ok := v.(string); ok {
			return protoreflect.ValueOfString(strings.ToValidUTF8(s, "\uFFFD")), nil
		}
		return into, d.refuse(path, v, "is not text")
	case protoreflect.BytesKind:
		if s, ok := v.(string); ok {
			if b, err := decodeBase64(s); err == nil {
				return protoreflect.ValueOfBytes(b), nil
			}
		}
		return into, d.refuse(path, v, "is not base64")
	case protoreflect.EnumKind:
		return d.enum(fd.Enum(), v, path)
	}
	return d.number(fd.Kind(), v, path)
}

func decodeBase64(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
	return base64.RawStdEncoding.DecodeString(s)
}

// submessage reads an object, or the text of a time.
func (d *decoder) submessage(m protoreflect.Message, v value, path string) error {
	if o, ok := v.(*object); ok {
		return d.message(m, o, path)
	}
	s, isText := v.(string)
	if !isText || m.Descriptor().FullName() != "google.protobuf.Timestamp" {
		return d.refuse(path, v, "is not an object")
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return d.refuse(path, v, "is not a time like 2026-01-31T12:00:00Z")
	}
	fields := m.Descriptor().Fields()
	m.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(t.Unix()))
	m.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(int32(t.Nanosecond())))
	return nil
}

func (d *decoder) enum(e protoreflect.EnumDescriptor, v value, path string) (
	protoreflect.Value, error,
) {
	if s, ok := v.(string); ok {
		if one := e.Values().ByName(protoreflect.Name(s)); one != nil {
			return protoreflect.ValueOfEnum(one.Number()), nil
		}
	}
	if n, ok := wholeNumber(v); ok && n >= -1<<31 && n < 1<<31 {
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), nil
	}
	return protoreflect.Value{}, d.refuse(path, v, "is not a value of %s", e.Name())
}

func (d *decoder) number(k protoreflect.Kind, v value, path string) (protoreflect.Value, error) {
	if k == protoreflect.DoubleKind || k == protoreflect.FloatKind {
		if n, ok := v.(json.Number); ok {
			if f, err := n.Float64(); err == nil && k == protoreflect.DoubleKind {
				return protoreflect.ValueOfFloat64(f), nil
			} else if err == nil {
				return protoreflect.ValueOfFloat32(float32(f)), nil
			}
		}
		return protoreflect.Value{}, d.refuse(path, v, "is not a number")
	}
	if k == protoreflect.Uint64Kind || k == protoreflect.Fixed64Kind {
		if u, ok := largeNumber(v); ok {
			return protoreflect.ValueOfUint64(u), nil
		}
		return protoreflect.Value{}, d.refuse(path, v, "is not a whole number from 0 to 2^64-1")
	}
	n, ok := wholeNumber(v)
	switch {
	case !ok && isLarge(v):
		return protoreflect.Value{}, d.refuse(path, v, "is too large a number")
	case !ok:
		return protoreflect.Value{}, d.refuse(path, v, "is not a whole number")
	}
	switch k {
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(n), nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		if n >= 0 && n < 1<<32 {
			return protoreflect.ValueOfUint32(uint32(n)), nil
		}
		return protoreflect.Value{}, d.refuse(path, v, "is not between 0 and 4294967295")
	}
	if n >= -1<<31 && n < 1<<31 {
		return protoreflect.ValueOfInt32(int32(n)), nil
	}
	return protoreflect.Value{}, d.refuse(path, v, "is not between -2147483648 and 2147483647")
}
