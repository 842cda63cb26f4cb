package source

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Fault is an error that stands in a row.
type Fault struct {
	Topic    string // "owner/Name"
	Object   string // name of what it is about, for people
	Text     string
	Severity entity.Severity
	Since    time.Time // wall clock of the device, zero if not told
	Retry    string    // what has to happen for another try
	Rows     int       // further rows that carry it
}

// Faults are the errors of all rows, newest first. An error that several rows carry on is listed
// once, under the application that suffers from it if there is one.
func (s *State) Faults() []Fault {
	var out []Fault
	for _, t := range s.Tables {
		for _, r := range t.Rows {
			for _, f := range r.find(t.Name) {
				i := slices.IndexFunc(out, func(o Fault) bool { return o.Text == f.Text })
				if i < 0 {
					out = append(out, f)
					continue
				}
				f.Rows = out[i].Rows + 1
				if f.Topic != app.Statuses.String() {
					f.Topic, f.Object = out[i].Topic, out[i].Object
				}
				out[i] = f
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Fault) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.Object, b.Object))
	})
	return out
}

// find returns the errors of a row, which it looks for once.
func (r *Row) find(topic string) []Fault {
	if r.looked {
		return r.faults
	}
	r.looked = true
	if raw, ok := r.Val.(json.RawMessage); ok {
		var e struct{ Error string }
		if json.Unmarshal(raw, &e) == nil && e.Error != "" {
			r.faults = []Fault{{Topic: topic, Object: r.Key, Text: e.Error}}
		}
		return r.faults
	}
	d := digger{topic: topic}
	d.dig(reflect.ValueOf(r.Val), r.Key)
	r.faults = d.out
	return r.faults
}

// digger looks for errors in a row, at any depth.
type digger struct {
	topic string
	out   []Fault
}

func (d *digger) dig(v reflect.Value, object string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.dig(v.Elem(), object)
		}
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k != reflect.Struct && k != reflect.Pointer {
			return
		}
		for i := range v.Len() {
			d.dig(v.Index(i), object)
		}
	case reflect.Struct:
		switch e := v.Interface().(type) {
		case entity.ErrorDescription:
			d.add(object, &e)
			return
		case network.TestResults:
			if e.LastError != "" && !e.Working() {
				d.add(object, &entity.ErrorDescription{Error: e.LastError, ErrorTime: e.LastFailed})
			}
			return
		case time.Time:
			return
		}
		object = name(v, object)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				d.dig(v.Field(i), object)
			}
		}
	}
}

// name is what people call the object that a struct is about.
func name(v reflect.Value, otherwise string) string {
	for _, n := range []string{"DisplayName", "Logicallabel", "DPCKey"} {
		if f := v.FieldByName(n); f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
			return f.String()
		}
	}
	return otherwise
}

func (d *digger) add(object string, e *entity.ErrorDescription) {
	if e.Error == "" {
		return
	}
	d.out = append(d.out, Fault{Topic: d.topic, Object: object, Text: e.Error,
		Severity: e.ErrorSeverity, Since: e.ErrorTime, Retry: e.ErrorRetryCondition})
}
