package dryrun

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A spot is where a value stands in a document: set replaces it, nil where it cannot be removed.
type spot struct {
	value  any
	set    func(any)
	remove func()
}

// spots lists all values of a document.
func spots(v any, set func(any), remove func()) []spot {
	out := []spot{{v, set, remove}}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			out = append(out, spots(v[k], func(n any) { v[k] = n }, func() { delete(v, k) })...)
		}
	case []any:
		for i := range v {
			out = append(out, spots(v[i], func(n any) { v[i] = n }, nil)...)
		}
	}
	return out
}

// values are what a place may be given instead, in JSON, so that each is fresh.
var values = []string{"null", "true", `""`, `"x"`, `"0.0.0.0/0"`, `"::1"`, `"\u202e\u001b[31m"`,
	"-1",
	"0", "1", "255", "1099511627776", "1.5", "[]", "{}", "[{},null]",
	`"` + strings.Repeat("y", 70_000) + `"`}

// alike draws another value of the same kind.
func alike(t *rapid.T, v any, all []spot) any {
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return rapid.SampledFrom([]float64{0, 1, 2, 4, 5, 7, 8, 17, 300, v + 1, v - 1}).Draw(t, "number")
	case string:
		texts := []string{"", "x", "eth0", "all", "10.0.0.1", "10.0.0.0/8", "fd00::1",
			"00000000-0000-4000-8000-000000000001"}
		for _, p := range all {
			if s, ok := p.value.(string); ok {
				texts = append(texts, s)
			}
		}
		return rapid.SampledFrom(texts).Draw(t, "text")
	case []any:
		if len(v) > 0 {
			n := rapid.IntRange(0, len(v)-1).Draw(t, "length")
			return append([]any{}, v[:n]...)
		}
	}
	return v
}

// mutate changes a document at a few places: a value removed, replaced by one of the same kind or
// of any, or an entry of a list doubled.
func mutate(t *rapid.T, doc any) any {
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		all := spots(doc, func(n any) { doc = n }, nil)
		p := all[rapid.IntRange(0, len(all)-1).Draw(t, "place")]
		list, isList := p.value.([]any)
		kind := rapid.SampledFrom([]string{"remove", "alike", "alike", "alike", "other", "double"}).
			Draw(t, "kind")
		switch {
		case kind == "remove" && p.remove != nil:
			p.remove()
		case kind == "double" && isList && len(list) > 0:
			i := rapid.IntRange(0, len(list)-1).Draw(t, "entry")
			p.set(append(append([]any{}, list...), list[i]))
		case kind == "other":
			var v any
			if err := json.Unmarshal([]byte(rapid.SampledFrom(values).Draw(t, "value")), &v); err != nil {
				t.Fatal(err)
			}
			p.set(v)
		default:
			p.set(alike(t, p.value, all))
		}
	}
	return doc
}

// sound fails unless a run ends as one may: with a known exit code, in time, with a line for what
// it does not like.
func sound(t *rapid.T, o Options, text []byte) {
	began := time.Now()
	exit, lines, r := outcome(t, o)
	if took := time.Since(began); took > 2*time.Second {
		t.Fatalf("it took %v\n%s", took, text)
	}
	if exit == 0 && !(r.Onboarded && r.Settled) || exit != 0 && len(lines) == 0 {
		t.Fatalf("exit %d without a word: %+v\n%s", exit, r, text)
	}
	for _, l := range lines {
		if strings.TrimSpace(l) == "" || l != oneLine(l) {
			t.Fatalf("line %q", l)
		}
	}
}

// inputs are own good inputs, and the real ones where they are there.
func inputs(t *testing.T) []Options {
	out := []Options{
		{Config: good("adapters.json"), Model: good("model.json")},
		{Config: good("datastores.json")}, {Config: good("dangling.json")},
		{Config: good("wireless.json")},
		{Config: good("static/config.json"), Network: good("static/network.json")}}
	root := filepath.Join("..", "..", "..", "shared", "data")
	if dir := os.Getenv("EVETWIN_DATA"); dir != "" {
		root = dir
	}
	if _, err := os.Stat(root); err != nil {
		t.Logf("own inputs only: EVETWIN_DATA is not set and %s is not there", root)
		return out
	}
	for _, n := range reals {
		o := n.options(root)
		o.Model = filepath.Join(root, "models", "UNO-2372G.json")
		out = append(out, o)
	}
	return append(out, Options{Config: filepath.Join(root, "configs", "simple.json")})
}

// override is a file of overrides, below their folder.
var override = filepath.Join("DevicePortConfig", "override.json")

// kinds are the files of inputs: each may be spoilt.
var kinds = []string{"config", "network", "model", "override"}

// source is the file of a kind, empty if there is none.
func source(o *Options, kind string) string {
	switch kind {
	case "config":
		return o.Config
	case "network":
		return o.Network
	case "model":
		return o.Model
	}
	file := filepath.Join(filepath.Dir(o.Config), overridesDir, override)
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// spoil writes changed content into dir and returns options that name it instead.
func spoil(t tb, dir string, o Options, kind string, data []byte) Options {
	t.Helper()
	path := filepath.Join(dir, "spoilt.json")
	switch kind {
	case "config":
		o.Config = path
	case "network":
		o.Network = path
	case "model":
		o.Model = path
	default:
		o.Overrides, path = dir, filepath.Join(dir, override)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// part is a file of inputs.
type part struct {
	Options
	kind string
	data []byte
}

// parts are all files of all inputs.
func parts(t *testing.T) (out []part) {
	for _, o := range inputs(t) {
		for _, kind := range kinds {
			file := source(&o, kind)
			if file == "" {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, part{o, kind, data})
		}
	}
	return out
}

func TestSpoiltInputNeverBreaksAnything(t *testing.T) {
	all, dir := parts(t), t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		p := all[rapid.IntRange(0, len(all)-1).Draw(t, "file")]
		var doc any
		if err := json.Unmarshal(p.data, &doc); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(mutate(t, doc))
		if err != nil {
			t.Fatal(err)
		}
		sound(t, spoil(t, dir, p.Options, p.kind, text), text)
	})
}

func TestCutInputIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, p := range parts(t) {
		end := bytes.LastIndexByte(p.data, '}')
		for cut := range 20 {
			at := end * cut / 20
			began := time.Now()
			exit, lines, _ := outcome(t, spoil(t, dir, p.Options, p.kind, p.data[:at]))
			quick(t, began, p.kind)
			if exit != 2 || len(lines) != 1 || !strings.Contains(lines[0], ".json: ") {
				t.Errorf("%s of %s cut at byte %d: exit %d %q", p.kind, p.Config, at, exit, lines)
			}
		}
	}
}
