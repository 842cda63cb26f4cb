package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// field is one line of a row shown as indented JSON.
type field struct {
	deep  int    // of indentation
	name  string // with quotes and colon, empty in lists
	value string // a value, or the bracket that opens or closes one
	note  string // what a number means
	path  string // names down to here; two rows are compared by it
	empty bool   // a zero, or only holds such
}

const (
	// maxFields bounds the lines of one row.
	maxFields = 4000
	// maxDeep bounds how deep a row that is only known as JSON may be.
	maxDeep = 40
	// shortList is how long a list of plain values may be to stand on one line.
	shortList = 48
)

// fieldsOf makes lines of a row's JSON. Where the row's type is known, numbers that have names get
// them as notes. What is no JSON is one line of text.
func fieldsOf(b []byte, row any) []field {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	t := reflect.TypeOf(row)
	if _, raw := row.(json.RawMessage); raw {
		t = nil
	}
	w := jsonWalk{d: d}
	if err := w.value(0, "", "", t, true); err != nil {
		return []field{{value: string(b), note: err.Error()}}
	}
	return w.out
}

// jsonWalk reads tokens and writes lines.
type jsonWalk struct {
	d   *json.Decoder
	out []field
}

func (w *jsonWalk) put(f field) {
	if len(w.out) < maxFields {
		w.out = append(w.out, f)
	}
}

// value reads one value of a type, nil if that is not known.
func (w *jsonWalk) value(deep int, name, path string, t reflect.Type, last bool) error {
	if deep > maxDeep {
		return fmt.Errorf("deeper than %d", maxDeep)
	}
	tok, err := w.d.Token()
	if err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if delim, ok := tok.(json.Delim); ok {
		return w.group(delim, deep, name, path, t, last)
	}
	text, empty := scalar(tok)
	w.put(field{deep: deep, name: name, value: text + comma(last), note: meaning(tok, t), path: path,
		empty: empty})
	return nil
}

// group reads an object or a list.
func (w *jsonWalk) group(open json.Delim, deep int, name, path string, t reflect.Type,
	last bool) error {
	at := len(w.out)
	w.put(field{deep: deep, name: name, value: open.String(), path: path, empty: true})
	for i := 0; w.d.More(); i++ {
		key, down, in := "", fmt.Sprintf("%s[%d]", path, i), elem(t)
		if open == '{' {
			tok, err := w.d.Token()
			if err != nil {
				return fmt.Errorf("read JSON: %w", err)
			}
			word, _ := tok.(string)
			key, down, in = quote(word)+": ", path+"."+word, member(t, word)
		}
		// Whether another follows is known only behind it: the comma is taken away there.
		if err := w.value(deep+1, key, down, in, false); err != nil {
			return err
		}
	}
	if _, err := w.d.Token(); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	w.close(at, open, last)
	return nil
}

// close ends a group that began at a line, and folds short lists.
func (w *jsonWalk) close(at int, open json.Delim, last bool) {
	if at >= len(w.out) {
		return
	}
	inside := w.out[at+1:]
	end := map[json.Delim]string{'{': "}", '[': "]"}[open] + comma(last)
	head := &w.out[at]
	for i := range inside {
		head.empty = head.empty && inside[i].empty
	}
	if n := len(inside); n > 0 {
		inside[n-1].value = strings.TrimSuffix(inside[n-1].value, ",")
	}
	var flat []string
	wide := 0
	for i := range inside {
		if inside[i].deep != head.deep+1 || inside[i].note != "" || open == '{' {
			wide = shortList + 1
		}
		wide += len(inside[i].value) + 1
		flat = append(flat, inside[i].value)
	}
	if wide <= shortList {
		head.value = open.String() + strings.Join(flat, " ") + end
		w.out = w.out[:at+1]
		return
	}
	w.put(field{deep: head.deep, value: end, path: head.path + " end", empty: head.empty})
}

func comma(last bool) string {
	if last {
		return ""
	}
	return ","
}

// scalar is a token as JSON, and whether it is a zero.
func scalar(tok json.Token) (string, bool) {
	switch v := tok.(type) {
	case string:
		return quote(v), v == "" || v == "0001-01-01T00:00:00Z"
	case json.Number:
		return v.String(), v.String() == "0"
	case bool:
		return fmt.Sprint(v), !v
	}
	return "null", true
}

func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// elem is the type of a list's elements.
func elem(t reflect.Type) reflect.Type {
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		return t.Elem()
	}
	return nil
}

// member is the type of an object's member.
func member(t reflect.Type, name string) reflect.Type {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == name || tag == "" && f.Name == name {
			return f.Type
		}
	}
	return nil
}

// meaning is the name of a number of a type that has names.
func meaning(tok json.Token, t reflect.Type) string {
	n, ok := tok.(json.Number)
	if !ok || t == nil || !t.Implements(reflect.TypeFor[fmt.Stringer]()) {
		return ""
	}
	v := reflect.New(t)
	if json.Unmarshal([]byte(n), v.Interface()) != nil {
		return ""
	}
	text := v.Elem().Interface().(fmt.Stringer).String()
	if text == n.String() {
		return ""
	}
	return text
}

// changedPaths are the paths whose values differ from those of an earlier row.
func changedPaths(now, was []field) map[string]bool {
	old := make(map[string]string, len(was))
	for _, f := range was {
		old[f.path] = f.value
	}
	out := map[string]bool{}
	for _, f := range now {
		if v, ok := old[f.path]; !ok || strings.TrimSuffix(v, ",") != strings.TrimSuffix(f.value, ",") {
			out[f.path] = true
		}
	}
	return out
}

// fieldLines draws fields; those whose path is fresh stand out.
func fieldLines(list []field, fresh map[string]bool, hideEmpty bool, width int) widget.Block {
	var out widget.Block
	for i, f := range list {
		if hideEmpty && f.empty && i > 0 && i < len(list)-1 {
			continue
		}
		indent := min(2*f.deep, width/2)
		head := widget.Line{}.Pad(indent).Put(style.Dim, f.name)
		role := valueRole(f.value)
		if fresh[f.path] {
			head, role = widget.Line{}.Pad(indent).Put(style.Fresh, f.name), style.Fresh
		}
		room := max(8, width-head.Width())
		for j, l := range widget.Wrap(role, f.value, room) {
			if j > 0 {
				l = widget.Line{}.Pad(head.Width()).Join(l)
			} else {
				l = head.Join(l)
			}
			out = append(out, l)
		}
		if f.note != "" && len(out) > 0 {
			n := len(out) - 1
			out[n] = out[n].Put(style.Dim, "  // "+f.note)
		}
	}
	return out
}

func valueRole(v string) style.Role {
	switch {
	case strings.HasPrefix(v, `"`):
		return style.Good
	case strings.HasPrefix(v, "true"), strings.HasPrefix(v, "false"), strings.HasPrefix(v, "null"):
		return style.Warn
	case v != "" && strings.ContainsAny(v[:1], "-0123456789"):
		return style.Accent
	}
	return style.Plain
}
