package archtest_test

import "testing"

func TestPlantedPurity(t *testing.T) {
	judge(t, []planted{
		{"clocks", map[string]string{"core/plan/a.go": head + `import (
	clock "time"
	"context"
)

func f(c context.Context, t clock.Time) {
	_ = clock.Now()
	_ = clock.Since(t)
	_ = clock.Until(t)
	_ = clock.After(clock.Second)
	_ = clock.AfterFunc(1, nil)
	_ = clock.Tick(1)
	_ = clock.NewTimer(1)
	_ = clock.NewTicker(1)
	clock.Sleep(1)
	_, _ = context.WithTimeout(c, 1)
	_ = clock.Unix(1, 0).UTC()
}
`}, []string{
			"core/plan/a.go:10: pure: use of time.Now",
			"core/plan/a.go:11: pure: use of time.Since",
			"core/plan/a.go:12: pure: use of time.Until",
			"core/plan/a.go:13: pure: use of time.After",
			"core/plan/a.go:14: pure: use of time.AfterFunc",
			"core/plan/a.go:15: pure: use of time.Tick",
			"core/plan/a.go:16: pure: use of time.NewTimer",
			"core/plan/a.go:17: pure: use of time.NewTicker",
			"core/plan/a.go:18: pure: use of time.Sleep",
			"core/plan/a.go:19: pure: use of context.WithTimeout"}},
		{"randomness", map[string]string{"controllersim/fleet/a.go": head + `import (
	"crypto/rand"
	old "math/rand"
	r "math/rand/v2"
	"hash/maphash"

	"github.com/google/uuid"
)

func f() {
	_ = rand.Reader
	_ = old.Intn(1)
	_ = r.IntN(1)
	_ = r.New(r.NewPCG(1, 2)).IntN(3)
	_ = maphash.Bytes
	_ = uuid.New()
	_ = uuid.Parse
}
`}, []string{
			"controllersim/fleet/a.go:5: pure: import of crypto/rand: randomness is drawn from the turn",
			"controllersim/fleet/a.go:8: pure: import of hash/maphash: its seed differs per process",
			"controllersim/fleet/a.go:15: pure: use of rand.Intn",
			"controllersim/fleet/a.go:16: pure: use of rand.IntN",
			"controllersim/fleet/a.go:19: pure: use of uuid.New"}},
		{"the outside", map[string]string{"backends/sim/world/a.go": head + `import (
	"log"
	"log/slog"
	. "net"
	"net/http"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"
)

func f(done chan int) {
	go log.Print(slog.Default(), os.Args, exec.Command, sync.Mutex{}, unix.Getpid)
	select {
	case <-done:
	}
	_, _ = http.Get("x")
	_ = http.StatusOK
}
`}, []string{
			"backends/sim/world/a.go:5: pure: import of log: lines go through the turn",
			"backends/sim/world/a.go:6: pure: import of log/slog: lines go through the turn",
			"backends/sim/world/a.go:7: pure: dot import of net hides its names",
			"backends/sim/world/a.go:9: pure: import of os: pure code has no operating system",
			"backends/sim/world/a.go:10: pure: import of os/exec: pure code has no operating system",
			"backends/sim/world/a.go:11: pure: import of sync: there is one goroutine",
			"backends/sim/world/a.go:13: pure: import of golang.org/x/sys/unix: " +
				"pure code has no operating system",
			"backends/sim/world/a.go:17: pure: go statement",
			"backends/sim/world/a.go:18: pure: select statement",
			"backends/sim/world/a.go:21: pure: use of http.Get"}},
		{"messages", map[string]string{"core/eveapi/a.go": head + `import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func f() {
	_, _ = proto.Marshal(nil)
	_, _ = proto.MarshalOptions{AllowPartial: true}.Marshal(nil)
	_, _ = proto.MarshalOptions{Deterministic: true}.Marshal(nil)
	_ = protojson.Format
}
`}, []string{
			"core/eveapi/a.go:5: pure: import of google.golang.org/protobuf/encoding/protojson: " +
				"its spacing is unstable on purpose",
			"core/eveapi/a.go:10: pure: use of proto.Marshal",
			"core/eveapi/a.go:11: pure: proto.MarshalOptions without Deterministic: true"}},
		{"only there", map[string]string{
			"controllersim/store/a.go": head + "import \"os\"\n\nvar _ = os.Args\n",
			"controllersim/a.go":       head + "import \"os\"\n\nvar _ = os.Args\n",
			"core/plan/a_test.go":      "package p\n\nimport \"os\"\n\nvar _ = os.Args\n",
			"core/host/live/a.go":      head + "import \"os\"\n\nvar _ = os.Args\n",
			"backends/sim/nic/a.go":    head + "import \"os\"\n\nvar _ = os.Args\n",
		}, []string{"controllersim/a.go:4: pure: import of os: pure code has no operating system"}},
	})
}

func TestPlantedMapOrder(t *testing.T) {
	judge(t, []planted{{"maps", map[string]string{
		"core/topics/t/t.go": `// Package t has maps.
package t

// Set is a map.
type Set map[string]bool

// Holder has one.
type Holder struct{ In map[int]int }

// Make returns one.
func Make() Set { return nil }
`,
		"core/check/a.go": head + `import (
	"maps"
	"net/http"
	"reflect"
	"slices"

	"example.com/x/core/topics/t"
)

func f(h *t.Holder, r *http.Request, list []int) {
	for k := range h.In {
		_ = k
	}
	for range t.Make() {
	}
	s := t.Make()
	for k, v := range s {
		_, _ = k, v
	}
	for k := range r.Header {
		_ = k
	}
	for k := range maps.Keys(s) {
		_ = k
	}
	_ = slices.Collect(maps.Values(s))
	_ = slices.Sorted(maps.Keys(s))
	for k := range s { //order: counted only
		_ = k
	}
	for k := range s { //order:
		_ = k
	}
	for i := range list {
		_ = i
	}
	_ = reflect.ValueOf(s).MapKeys()
}

func g[M ~map[string]V, V any](m M) {
	for k := range m {
		_ = k
	}
}
`}, []string{
		"core/check/a.go:14: map-order: range over a map: sort its keys",
		"core/check/a.go:20: map-order: range over a map: sort its keys",
		"core/check/a.go:23: map-order: range over a map: sort its keys",
		"core/check/a.go:26: map-order: iterator over a map: sort it",
		"core/check/a.go:29: map-order: iterator over a map: sort it",
		"core/check/a.go:34: map-order: range over a map: sort its keys",
		"core/check/a.go:40: map-order: reflect.MapKeys: sort the keys",
		"core/check/a.go:44: map-order: range over a map: sort its keys",
	}}})
}

func TestPlantedVariables(t *testing.T) {
	agent := "// Package led is an agent.\npackage led\n"
	judge(t, []planted{
		{"anywhere", map[string]string{"core/plan/a.go": head + `var empty int

var table = map[string]int{"a": 1}

var _ error = nil

func init() {}

func f() {
	table["b"] = 2
	delete(table, "a")
	local := table
	empty++
	table := map[string]int{}
	table["c"] = 3
	_ = local
}
`, "core/plan/b.go": "package p\n\nfunc g() { clear(table) }\n"}, []string{
			"core/plan/a.go:4: package-variable: empty is not set where it is declared",
			"core/plan/a.go:10: init: init function",
			"core/plan/a.go:13: package-variable: package variable table is changed",
			"core/plan/a.go:14: package-variable: package variable table is changed",
			"core/plan/a.go:16: package-variable: package variable empty is changed",
			"core/plan/b.go:3: package-variable: package variable table is changed"}},
		{"agents", map[string]string{"core/agents/led/doc.go": agent,
			"core/agents/led/led.go": "package led\n\nvar cache = make(map[string]int)\n\n" +
				"var state = start()\n\nfunc start() int { return 1 }\n"}, []string{
			"core/agents/led/led.go:3: package-variable: cache is not a topic, an op, " +
				"an error value or a table",
			"core/agents/led/led.go:5: package-variable: state is not a topic, an op, " +
				"an error value or a table"}},
	})
}

func TestPlantedAgents(t *testing.T) {
	judge(t, []planted{{"agent", map[string]string{"core/agents/led/led.go": `// Package led lights.
package led

// Led is exported.
type Led struct{}

type led struct {
	n     int
	seen  map[string]int
	inner *part
	list  [2]int
}

type part struct{ at int }

// New makes one.
func New() *led {
	l := &led{}
	l.n = 1
	return l
}

// Step works.
func (l *led) Step() {
	l.n = 2
	l.n++
	l.seen["a"] = 1
	delete(l.seen, "a")
	l.inner.at = 3
	l.list[0] = 4
	other := l
	other.n, _ = 5, 6
	touch(l.inner)
}

func touch(p *part) { p.at = 7 }
`}, []string{
		"core/agents/led:0: agent-exports: an agent has a doc.go",
		"core/agents/led/led.go:5: agent-exports: an agent exports only New, not Led",
		"core/agents/led/led.go:25: agent-fields: Step changes the agent's field n",
		"core/agents/led/led.go:26: agent-fields: Step changes the agent's field n",
		"core/agents/led/led.go:27: agent-fields: Step changes the agent's field seen",
		"core/agents/led/led.go:28: agent-fields: Step changes the agent's field seen",
		"core/agents/led/led.go:29: agent-fields: Step changes the agent's field at",
		"core/agents/led/led.go:30: agent-fields: Step changes the agent's field list",
		"core/agents/led/led.go:32: agent-fields: Step changes the agent's field n",
		"core/agents/led/led.go:36: agent-fields: touch changes the agent's field at",
	}}})
}

func TestPlantedTopics(t *testing.T) {
	judge(t, []planted{{"owners", map[string]string{
		"core/topics/node/node.go": `// Package node holds topics.
package node

import "example.com/x/core/bus"

const owner = "led"

var owners = []string{"led", "diag"}

// A and more.
var (
	A = bus.NewTopic[int](bus.Decl{Owner: "led", Name: "A"})
	B = bus.NewTopic[int](bus.Decl{Owner: owner, Name: "A"})
	C = bus.NewFamily[int](bus.Decl{Name: "C"}, owners...)
	D = bus.NewTopic[int](bus.Decl{Owner: "diag", Name: "C"})
	E = bus.NewTopic[int](bus.Decl{Owner: who(), Name: "E"})
	F = bus.NewTopic[int](bus.Decl{Owner: "diag", Name: "F"})
	G = bus.NewTopic[int](bus.Decl{Owner: "zedclient", Name: "G"})
)

func who() string { return "x" }
`,
		"core/agents/client/doc.go": "// Package client is one.\npackage client\n",
		"core/agents/client/client.go": `package client

import (
	"example.com/x/core/bus"
	"example.com/x/core/topics/node"
)

// New wires.
func New(port any, name string) any {
	bus.Publish(port, node.G)
	bus.Publish(port, node.F)
	bus.Publish(port, node.C.Of("diag"))
	bus.Publish[int](port, node.H)
	bus.Publish(port, pick())
	return nil
}

func pick() bus.Topic[int] { return node.A }
`}, []string{
		"core/agents/client/client.go:11: topic-owner: publishes core/topics/node.F, " +
			"which belongs to diag",
		"core/agents/client/client.go:12: topic-owner: publishes core/topics/node.C of diag",
		"core/agents/client/client.go:13: topic-owner: publishes core/topics/node.H, " +
			"which is not declared",
		"core/agents/client/client.go:14: topic-owner: publishes a topic that is not a variable",
		"core/topics/node/node.go:13: topic-owner: led/A is declared at " +
			"core/topics/node/node.go:12:6 already",
		"core/topics/node/node.go:15: topic-owner: diag/C is declared at " +
			"core/topics/node/node.go:14:6 already",
		"core/topics/node/node.go:16: topic-owner: an Owner of E is not a plain string",
	}}})
}

func TestPlantedTestHabits(t *testing.T) {
	sleepy := `package p

import (
	"testing"
	"time"
)

func TestX(t *testing.T) {
	time.Sleep(1)
	t.Skip()
	t.SkipNow()
	t.Skip("no kernel")
	<-time.After(1)
}
`
	judge(t, []planted{{"tests", map[string]string{"core/plan/a_test.go": sleepy,
		"e2e/a_test.go": sleepy}, []string{
		"core/plan/a_test.go:9: test-habit: time.Sleep in a test",
		"core/plan/a_test.go:10: test-habit: skip without a reason",
		"core/plan/a_test.go:11: test-habit: skip without a reason",
	}}})
}

func TestPlantedClaims(t *testing.T) {
	judge(t, []planted{{"names", map[string]string{"core/plan/a_test.go": "package p\n\n" +
		"import \"testing\"\n\nfunc TestAPI57_X(*testing.T) {}\n\n" +
		"func TestAPI1_API2_API3_NET1_X(*testing.T) {}\n\nfunc TestAPI1_X(*testing.T) {}\n"}, []string{
		"core/plan/a_test.go:5: behaviour-name: test TestAPI57_X: behaviour API-57 does not exist",
		"core/plan/a_test.go:7: behaviour-name: test TestAPI1_API2_API3_NET1_X: names 4 behaviours, " +
			"at most 3 are allowed",
	}}})
}
