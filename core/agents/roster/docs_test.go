package roster

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host/rig"
)

// wiring is a port that notes what goes through it.
type wiring struct {
	bus.Port
	in, out, own, ops *[]string // "owner/Name", "part.Op"
}

func (w wiring) Subscribe(d *bus.Decl, m bus.Mode) *bus.Cursor {
	*w.in = append(*w.in, d.String())
	return w.Port.Subscribe(d, m)
}

func (w wiring) Publish(d *bus.Decl) (*bus.Cursor, bus.Outlet) {
	if d.Life == bus.Local {
		*w.own = append(*w.own, d.String())
	} else {
		*w.out = append(*w.out, d.String())
	}
	return w.Port.Publish(d)
}

func (w wiring) Use(v any) any {
	*w.ops = append(*w.ops, v.(*agent.OpDecl).Name)
	return w.Port.Use(v)
}

// lent are the topics and ops that come with package controllerconn; a table that names the package
// names them.
var lent = []string{"/ConfigItemValueMap", "/DeviceNetworkStatus", "/OnboardingStatus",
	"/ControllerCert", "/FileSeen", "/Exchange", "/Due", "/Passed", "/Sent", "web.Send", "tpm.Sign",
	"store.Read"}

func isLent(name string) bool {
	return slices.ContainsFunc(lent, func(l string) bool { return strings.HasSuffix(name, l) })
}

var (
	filePath  = regexp.MustCompile(`/(config|persist|run)/\S*`)
	topicName = regexp.MustCompile(`[a-z][a-z-]*/[A-Z]\w+`)
	opName    = regexp.MustCompile(`\b[a-z]+\.[A-Z]\w+`)
)

// The tables in the documentation of agents say what the agents are wired to, all of it and
// nothing else.
func TestDocsNameTheWiring(t *testing.T) {
	for _, e := range Agents() {
		dir := strings.ReplaceAll(strings.TrimPrefix(e.Name, "zed"), "-", "")
		if e.Name != "zedclient" {
			dir = strings.ReplaceAll(e.Name, "-", "")
		}
		b, err := os.ReadFile(filepath.Join("..", dir, "doc.go"))
		if err != nil {
			t.Error(err)
			continue
		}
		doc := string(b)
		var w wiring
		w.in, w.out, w.own, w.ops = new([]string), new([]string), new([]string), new([]string)
		rig.New(t, e.Name, func(p bus.Port) agent.Agent {
			w.Port = p
			return e.New(w)
		})
		conn := strings.Contains(doc, "controllerconn")
		all := slices.Concat(*w.in, *w.out, *w.ops)
		for _, name := range all {
			short := name[strings.LastIndex(name, "/")+1:]
			if !regexp.MustCompile(`\b`+regexp.QuoteMeta(short)+`\b`).MatchString(doc) &&
				!regexp.MustCompile(`\b`+name[strings.LastIndex(name, ".")+1:]+`\b`).MatchString(doc) &&
				!(conn && isLent(name)) {
				t.Errorf("%s: its doc.go does not name %s", e.Name, name)
			}
		}
		table := filePath.ReplaceAllString(doc[:strings.LastIndex(doc, "package")], "")
		for _, name := range slices.Concat(topicName.FindAllString(table, -1),
			opName.FindAllString(table, -1)) {
			if !slices.Contains(all, name) && !slices.Contains(*w.own, name) {
				t.Errorf("%s: its doc.go names %s, which it is not wired to", e.Name, name)
			}
		}
	}
}
