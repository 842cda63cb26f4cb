package readjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits of a file: how deep it may nest, how many values it may hold in all (a value takes some
// 250 bytes of memory), and how many of the unknown fields are listed.
const (
	maxDepth   = 64
	maxValues  = 600_000
	maxUnknown = 200
)

// value is a JSON value: nil, bool, string, json.Number, []value or *object.
type value any

// object is a JSON object with its fields in the order of the file.
type object struct{ fields []field }

type field struct {
	name string
	val  value
}

// get is the last field of a name, nil if there is none or it is null.
func (o *object) get(name string) value {
	for i := len(o.fields) - 1; i >= 0; i-- {
		if o.fields[i].name == name {
			return o.fields[i].val
		}
	}
	return nil
}

// parse reads one JSON object that is all of data.
func parse(file string, data []byte, limit int) (*object, error) {
	if len(data) > limit {
		return nil, fmt.Errorf("%s: %d bytes exceed the limit of %d", file, len(data), limit)
	}
	data, err := Text(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	d := &reader{Decoder: json.NewDecoder(bytes.NewReader(data))}
	d.UseNumber()
	v, err := d.read(0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after the end of the object")
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends in the middle")
		}
		return nil, fmt.Errorf("%s: line %d: %w", file, lineOf(data, d.InputOffset()), err)
	}
	o, ok := v.(*object)
	if !ok {
		return nil, fmt.Errorf("%s: line 1: it is not a JSON object", file)
	}
	return o, nil
}

// Text is JSON without the mark that some editors put before UTF-8. Files in UTF-16 are refused
// for what they are.
func Text(data []byte) ([]byte, error) {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return nil, errors.New("it is in UTF-16, JSON is in UTF-8")
		}
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

func lineOf(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte{'\n'})
}

// reader reads a file's values, and counts them.
type reader struct {
	*json.Decoder
	values int
}

func (d *reader) read(depth int) (value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if d.values++; d.values > maxValues {
		return nil, fmt.Errorf("there are more than %d values", maxValues)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		return d.readObject(depth)
	case json.Delim('['):
		var list []value
		for d.More() {
			v, err := d.read(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return t, nil
}

func (d *reader) readObject(depth int) (value, error) {
	o := &object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := d.read(depth + 1)
		if err != nil {
			return nil, err
		}
		o.fields = append(o.fields, field{fmt.Sprint(name), v})
	}
	_, err := d.Token()
	return o, err
}

// show is a value as it stands in an error text.
func show(v value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case *object:
		return "an object"
	case []value:
		return "a list"
	case string:
		return fmt.Sprintf("%+q", clip(v))
	}
	return clip(fmt.Sprint(v))
}

// clip keeps what is shown of a value short.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
