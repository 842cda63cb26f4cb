package dryrun

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// troubles lists the errors that the rows of all agents carry, by agent and object. It finds them
// by their types, so that an agent that is new to the roster is heard too.
func troubles(k *host.Kernel, known hearsay) []Trouble {
	var out []Trouble
	told := map[Trouble]bool{}
	for _, t := range k.Topics() {
		if t.Life == bus.Local {
			continue
		}
		h, _ := k.Head(t)
		heard, ok := known[t]
		if !ok || !heard.head.Same(h) {
			f := finder{agent: t.Owner, topic: t.Name}
			for key, row := range h.All() {
				f.row(key, reflect.ValueOf(row).Elem())
			}
			heard = hearing{h, f.found}
			known[t] = heard
		}
		for _, one := range heard.found {
			same := Trouble{Agent: one.Agent, Object: one.Object, Text: one.Text}
			if !told[same] {
				told[same] = true
				out = append(out, one)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Trouble) int {
		if n := strings.Compare(a.Agent, b.Agent); n != 0 {
			return n
		}
		return strings.Compare(a.Object, b.Object)
	})
	return out
}

// hearsay are the errors found in each topic at an earlier look, so that only topics that have
// moved since are gone through again.
type hearsay map[*bus.Decl]hearing

type hearing struct {
	head  bus.Head
	found []Trouble
}

// finder looks for errors in the rows of a topic.
type finder struct {
	agent, topic string
	found        []Trouble
}

func (f *finder) row(key string, v reflect.Value) {
	switch row := v.Addr().Interface().(type) {
	case *network.NetworkInstanceStatus: // what it embeds is the configuration with its own error
		f.add(f.object(v, key), row.NetworkErr)
	case *network.DevicePortConfigList: // the errors of ports stand in the status
		for i := range row.PortConfigList {
			d := &row.PortConfigList[i]
			f.results("port configuration "+d.DPCKey, &d.TestResults)
		}
	default:
		f.look(v, f.object(v, key))
	}
}

// look walks the fields of a struct. Lists are walked where each element is an object of its own.
func (f *finder) look(v reflect.Value, object string) {
	switch row := v.Addr().Interface().(type) {
	case *entity.ErrorDescription:
		f.add(object, *row)
		return
	case *network.TestResults:
		f.results(object, row)
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch one := v.Field(i); one.Kind() {
		case reflect.Struct:
			if field.IsExported() {
				f.look(one, object)
			}
		case reflect.Slice:
			f.list(field.Name, one, object)
		case reflect.String:
			if f.agent == "zedagent" && (field.Name == "Error" || field.Name == "ParseError") {
				f.add(object, entity.ErrorDescription{Error: one.String()})
			}
		}
	}
}

func (f *finder) list(name string, v reflect.Value, object string) {
	switch name {
	case "Ports":
		for i := range v.Len() {
			if e := v.Index(i); e.Kind() == reflect.Struct {
				f.look(e, "port "+e.FieldByName("Logicallabel").String())
			}
		}
	case "IoBundleList":
		for i := range v.Len() {
			f.look(v.Index(i), "adapter "+v.Index(i).FieldByName("Phylabel").String())
		}
	case "Errors":
		if items, ok := v.Interface().([]config.ItemError); ok {
			for _, e := range items {
				f.add("setting "+strconv.Quote(e.Key), entity.ErrorDescription{Error: e.Error})
			}
		} else if f.agent == "zedagent" && v.Type().Elem().Kind() == reflect.String {
			for i := range v.Len() {
				f.add(object, entity.ErrorDescription{Error: v.Index(i).String()})
			}
		}
	}
}

// nouns are what people call the rows of topics.
var nouns = []struct{ topic, noun string }{
	{"AppInstance", "application"}, {"AppNetwork", "application"}, {"Domain", "application"},
	{"NetworkInstance", "network instance"}, {"ContentTree", "content tree"},
	{"VolumeMgr", "volumemgr"}, {"Volume", "volume"}, {"Blob", "blob"}, {"Downloader", "blob"},
	{"VerifyImage", "blob"}, {"Resolve", "image"}, {"Datastore", "datastore"},
	{"PortConfigFile", "file"},
	{"ClientStatus", "onboarding"}, {"ZedAgentStatus", "configuration"},
	{"DevicePortConfig", "port configuration"}, {"WaitForAddr", "first address"},
}

// object names the object of a row.
func (f *finder) object(v reflect.Value, key string) string {
	name := key
	field := "DisplayName"
	switch f.topic {
	case "PortConfigFile":
		field = "Path"
	case "ResolveStatus":
		field = "Name"
	}
	if s := v.FieldByName(field); s.IsValid() && s.Kind() == reflect.String && s.Len() > 0 {
		name = s.String()
	}
	noun := f.topic
	for _, n := range nouns {
		if strings.HasPrefix(f.topic, n.topic) {
			noun = n.noun
			break
		}
	}
	switch {
	case name == entity.Global, name == f.agent:
		return noun
	case noun == "blob" && len(name) == 64:
		name = name[:12]
	}
	return noun + " " + name
}

func (f *finder) results(object string, r *network.TestResults) {
	if !r.Working() {
		f.add(object, entity.ErrorDescription{Error: r.LastError})
	}
}

func (f *finder) add(object string, d entity.ErrorDescription) {
	if d.Error == "" {
		return
	}
	f.found = append(f.found, Trouble{Agent: f.agent, Object: object,
		Severity: d.ErrorSeverity.String(), Text: d.Error, Retry: d.ErrorRetryCondition})
}
