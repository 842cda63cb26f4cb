package archtest_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/core/archtest"
)

// plant writes a tree and loads it. Every tree has a go.mod and a small bus.
func plant(t *testing.T, files map[string]string) *archtest.Tree {
	t.Helper()
	root := t.TempDir()
	all := map[string]string{
		"go.mod": "module example.com/x\n\ngo 1.26\n",
		"core/bus/bus.go": `// Package bus is a small bus.
package bus

// Decl is a declaration.
type Decl struct{ Owner, Name string }

// Topic is a topic.
type Topic[V any] struct{ d *Decl }

// NewTopic makes one.
func NewTopic[V any](d Decl) Topic[V] { return Topic[V]{&d} }

// Family is a family.
type Family[V any] struct{}

// NewFamily makes one.
func NewFamily[V any](d Decl, owners ...string) Family[V] { return Family[V]{} }

// Of picks one.
func (Family[V]) Of(owner string) Topic[V] { return Topic[V]{} }

// Publish claims a topic.
func Publish[V any](port any, t Topic[V]) *V { return nil }
`,
	}
	maps.Copy(all, files)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		full := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(all[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := archtest.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// planted is a tree and what all rules together say about it.
type planted struct {
	name  string
	files map[string]string
	want  []string
}

// judge checks planted trees against all rules.
func judge(t *testing.T, cases []planted) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := archtest.Report(plant(t, c.files), archtest.Rules()...)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				c.want = []string{}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// head is the beginning of a file of package p.
const head = "// Package p is one.\npackage p\n\n"

func TestPlantedClean(t *testing.T) {
	judge(t, []planted{{"clean", map[string]string{
		"core/topics/node/node.go": `// Package node holds topics.
package node

import "example.com/x/core/bus"

// LedInfo is EVE's name.
type LedInfo struct{ On bool }

// Leds has one owner.
var Leds = bus.NewTopic[LedInfo](bus.Decl{Owner: "led", Name: "LedInfo"})

// Blinks has several.
var Blinks = bus.NewFamily[int](bus.Decl{Name: "Blink"}, "led", "zedclient")
`,
		"core/agents/led/doc.go": "// Package led lights lamps.\npackage led\n",
		"core/agents/led/led.go": `package led

import (
	"errors"
	"maps"
	"slices"

	"example.com/x/core/bus"
	"example.com/x/core/topics/node"
)

var errDark = errors.New("no lamp")

var colours = []string{"red", "green"}

// memory is private.
var memory = bus.NewTopic[int](bus.Decl{Owner: "led", Name: "memory"})

type led struct {
	out   *node.LedInfo
	blink *int
	mem   *int
}

// New wires it.
func New(port any) any {
	l := &led{}
	l.out = bus.Publish(port, node.Leds)
	l.blink = bus.Publish(port, node.Blinks.Of("led"))
	l.mem = bus.Publish(port, memory)
	return l
}

type scratch struct{ n int }

// Step counts in a scratch value, which is not the agent.
func (l *led) Step() {
	s := scratch{}
	s.n++
	counts := map[string]int{"a": 1}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		s.n += counts[k]
	}
	for range counts {
		s.n++
	}
	for _, n := range counts { //order: a sum
		s.n += n
	}
	_ = errDark
	_ = colours[s.n%2]
}
`,
		"core/agents/roster/roster.go": `// Package roster lists the agents.
package roster

import "example.com/x/core/agents/led"

// All are the constructors.
var All = []func(any) any{led.New}
`,
		"core/host/live/live.go": `// Package live may wait.
package live

import (
	"sync"
	"time"
)

// Wait waits.
func Wait(m *sync.Mutex) time.Time { go m.Lock(); return time.Now() }
`,
		"controllersim/httpd/httpd.go": "// Package httpd listens.\npackage httpd\n\nimport _ \"os\"\n",
		"bin/tool":                     "", "Makefile": "", ".github/x": "",
	}, nil}})
}

func TestPlantedFolders(t *testing.T) {
	judge(t, []planted{
		{"top level", map[string]string{"pkg/p.go": head, "NOTES.md": ""}, []string{
			"NOTES.md:0: folder: the top level has no place for it",
			"pkg:0: folder: the top level has no place for it"}},
		{"core", map[string]string{"core/misc/p.go": head},
			[]string{"core/misc:0: folder: core has no room misc"}},
		{"file names", map[string]string{"core/plan/utils.go": head,
			"core/plan/helpers_test.go": "package p\n"}, []string{
			"core/plan/helpers_test.go:0: file-name: name the file after its idea",
			"core/plan/utils.go:0: file-name: name the file after its idea"}},
		{"not looked at", map[string]string{"core/plan/testdata/utils.go": "package p\n",
			".ci/lint/go.mod": "module y\n", "core/plan/_old/utils.go": "package p\n"}, nil},
	})
}

func TestPlantedImports(t *testing.T) {
	uses := func(dirs ...string) string {
		src := head
		for _, d := range dirs {
			src += "import _ \"example.com/x/" + d + "\"\n"
		}
		return src
	}
	agent := "// Package p is an agent.\npackage p\n"
	judge(t, []planted{
		{"topics and device", map[string]string{
			"core/topics/a/a.go": uses("core/bus", "core/topics/b", "core/device/c"),
			"core/topics/b/b.go": head,
			"core/device/c/c.go": uses("core/plan", "core/topics/b"),
			"core/plan/p.go":     uses("core/bus", "core/agent"), "core/agent/a.go": uses("core/bus"),
		}, []string{"core/device/c/c.go:4: import: core/device/c may not import core/plan",
			"core/topics/a/a.go:6: import: core/topics/a may not import core/device/c"}},
		{"agents", map[string]string{
			"core/agents/a/doc.go": agent, "core/agents/b/doc.go": agent, "core/host/h.go": head,
			"core/agents/a/a.go":      "package p\n\nimport _ \"example.com/x/core/agents/b\"\n",
			"core/agents/a/b.go":      "package p\n\nimport _ \"example.com/x/core/host\"\n",
			"core/agents/b/p_test.go": "package p\n\nimport _ \"example.com/x/core/host\"\n",
			"core/agents/b/q_test.go": "package p\n\nimport _ \"example.com/x/core/agents/a\"\n",
		}, []string{"core/agents/a/a.go:3: import: core/agents/a may not import core/agents/b",
			"core/agents/a/b.go:3: import: core/agents/a may not import core/host",
			"core/agents/b/q_test.go:3: import: core/agents/b may not import core/agents/a"}},
		{"hosts and backends", map[string]string{
			"core/agents/a/doc.go": agent, "core/fault/f.go": head, "scenarios/s.go": head,
			"core/host/sim/s.go":     uses("core/agents/a", "core/host", "core/fault"),
			"core/host/h.go":         uses("core/fault"),
			"backends/sim/nic/n.go":  uses("core/agents/a", "core/fault", "scenarios"),
			"scenarios/one/one.go":   uses("core/agents/a", "backends/sim/nic"),
			"cmd/evetwin/main.go":    "// Command evetwin.\npackage main\n",
			"core/fault/f_test.go":   "package p\n\nimport _ \"example.com/x/backends/sim/nic\"\n",
			"backends/conform/c.go":  uses("core/host/sim"),
			"core/check/checkall.go": uses("core/host/sim", "core/fault"),
		}, []string{
			"backends/sim/nic/n.go:4: import: backends/sim/nic may not import core/agents/a",
			"backends/sim/nic/n.go:6: import: backends/sim/nic may not import scenarios",
			"core/fault/f_test.go:3: import: core/fault may not import backends/sim/nic",
			"core/host/sim/s.go:4: import: core/host/sim may not import core/agents/a"}},
		{"controller and terminal", map[string]string{
			"core/eveapi/e.go": head, "core/fault/f.go": head, "core/topics/t.go": head,
			"core/trace/t.go": head, "core/device/d.go": head,
			"controllersim/fleet/f.go": uses("core/eveapi", "core/fault", "core/topics"),
			"tui/page/p.go":            uses("core/topics", "core/bus", "core/trace", "core/plan"),
		}, []string{
			"controllersim/fleet/f.go:6: import: controllersim/fleet may not import core/topics",
			"tui/page/p.go:7: import: tui/page may not import core/plan"}},
	})
}

func TestPlantedSizes(t *testing.T) {
	lines := func(n int, s string) (out string) {
		for range n {
			out += s
		}
		return out
	}
	fn := func(name string, n int) string {
		return "func " + name + "() {\n" + lines(n-2, "\t_ = 1\n") + "}\n"
	}
	wide := "// " + lines(98, "é") + "\n"
	judge(t, []planted{
		{"at the limit", map[string]string{"core/plan/a.go": head + fn("a", 70) + fn("b", 70) +
			lines(500-3-140, "//\n"), "core/plan/a_test.go": "package p\n" + fn("c", 120) +
			"// " + lines(97, "é") + "\n" + lines(800-122, "//\n")}, nil},
		{"over it", map[string]string{"core/plan/a.go": head + fn("a", 71) + lines(427, "//\n"),
			"core/plan/a_test.go": "package p\n" + fn("c", 121) + wide + lines(678, "//\n")},
			[]string{"core/plan/a.go:2: size: file of 501 lines, limit 500",
				"core/plan/a.go:4: size: a has 71 lines, limit 70",
				"core/plan/a_test.go:1: size: file of 801 lines, limit 800",
				"core/plan/a_test.go:2: size: c has 121 lines, limit 120",
				"core/plan/a_test.go:123: size: line of 101 columns, limit 100"}},
		{"generated", map[string]string{"core/plan/a.go": "// Code generated by x. DO NOT EDIT.\n\n" +
			head + wide + fn("Big", 600)}, nil},
	})
}

func TestPlantedDocs(t *testing.T) {
	judge(t, []planted{{"comments", map[string]string{"core/plan/a.go": `package p

func F() {}

// G has one.
func G() {}

type T struct{}

func (T) M() {}

type t struct{}

func (t) Step() {}

const (
	A = 1
	// B has one.
	B = 2
	C = 3 // beside it
)

// Together.
const (
	D = 1
	E = 2
)

//go:noinline
func H() {}

func private() {}
`}, []string{
		"core/plan/a.go:1: doc: package p has no comment",
		"core/plan/a.go:3: doc: F has no comment",
		"core/plan/a.go:8: doc: T has no comment",
		"core/plan/a.go:10: doc: M has no comment",
		"core/plan/a.go:17: doc: A has no comment",
		"core/plan/a.go:30: doc: H has no comment",
	}}})
}

func TestPlantedWords(t *testing.T) {
	judge(t, []planted{{"words", map[string]string{"core/plan/a.go": head + `import (
	"errors"
	"fmt"
)

// TODO: later
func f(err error) error {
	return errors.Join(errors.New("Failed to open"), fmt.Errorf("could not read: %w", err),
		fmt.Errorf("read x: %w, which failed to parse", err))
}

type portManager struct{}
type Handler interface{}
type linkInfo struct{}

// VifInfo is EVE's word, but not here.
type VifInfo struct{}
`, "core/topics/t.go": head + "// VifInfo is EVE's.\ntype VifInfo struct{}\n\n" +
		"type portInfo struct{}\n"}, []string{
		"core/plan/a.go:9: words: TODO in a comment",
		`core/plan/a.go:11: words: error text begins with "could not"`,
		`core/plan/a.go:11: words: error text begins with "failed to"`,
		"core/plan/a.go:15: type-name: type portManager ends in Manager",
		"core/plan/a.go:16: doc: Handler has no comment",
		"core/plan/a.go:17: type-name: type linkInfo ends in Info",
		"core/plan/a.go:20: type-name: type VifInfo ends in Info",
		"core/topics/t.go:7: type-name: type portInfo ends in Info",
	}}})
}
