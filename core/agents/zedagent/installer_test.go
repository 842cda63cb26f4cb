package zedagent

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/node"
)

// What is wrong with the installer's settings is shown until the device boots again, whatever the
// controller says meanwhile, and costs nothing else.
func TestDEV4_SpoiledSettingsAreShown(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{`{"GlobalSettings": []}`, "parse settings: "},
		{`{"GlobalSettings": {"timer.metric.interval": {"ItemType": "one"}}}`, "ItemType"},
		{`{"AgentSettings": 1}`, "parse AgentSettings: "},
		{`{"timer.metric.interval": {"a": 1}}`, `parse "timer.metric.interval": `},
		{`[]`, "parse JSON: "},
		{`{"timer.metric.interval": "9"`, "parse JSON: "},
		{"", "it is empty"},
		{`{"timer.metric.interval": "a while"}`, `"timer.metric.interval": the value "a while" `},
		{`{"no.such": "9"}`, `"no.such": unknown setting`},
	} {
		b := newBench(t)
		b.files[globalFile], b.files[keysFile] = []byte(c.file), []byte("ssh-ed25519 AAAA")
		b.boot(node.BootReasonFirst)
		shown := func(when string) {
			t.Helper()
			if got := b.status().Error; !strings.HasPrefix(got, globalFile+": ") ||
				!strings.Contains(got, c.want) {
				t.Errorf("%s: %s: error %q", c.file, when, got)
			}
		}
		shown("at first")
		// A file that can be read stands in for the keys, even if some of its settings are refused.
		readable := strings.Contains(c.want, ": unknown") || strings.Contains(c.want, "the value")
		if got := b.items().Text(config.SSHAuthorizedKeys); (got == "") != readable {
			t.Errorf("%s: keys %q", c.file, got)
		}
		b.online()
		b.configure(edge(), "h1")
		shown("configured")
		b.Crash()
		b.settle()
		shown("after a crash")
		b.again(node.BootReasonRebootCmd)
		if got := b.status().Error; got != "" {
			t.Errorf("%s: after a boot from the saved configuration: error %q", c.file, got)
		}
	}
}

// What came before is not forgotten for keys that are none.
func TestInstallersKeysThatAreNotText(t *testing.T) {
	for _, spoiled := range []string{"", `["settings"]`} {
		b := newBench(t)
		if spoiled != "" {
			b.files[globalFile] = []byte(spoiled)
		}
		b.files[keysFile] = []byte("ssh-ed25519 \xff\x00")
		b.boot(node.BootReasonFirst)
		if got := b.status().Error; !strings.Contains(got, keysFile+`: "debug.enable.ssh": the value `) ||
			!strings.Contains(got, "is not text in UTF-8") ||
			strings.Contains(got, globalFile) != (spoiled != "") || strings.Count(got, "\n") > 1 {
			t.Errorf("with settings %q: error %q", spoiled, got)
		}
		said := 0
		for _, l := range b.Lines() {
			if strings.Contains(l.Text, "/config/") {
				said++
			}
		}
		if want := strings.Count(b.status().Error, "\n") + 1; said != want {
			t.Errorf("with settings %q: %d lines, want %d", spoiled, said, want)
		}
	}
}

func TestInstallersSettingsThatCannotBeRead(t *testing.T) {
	b := newBench(t)
	rig.Put(b.Rig, store.Files, store.FileSeen{Path: globalFile, Size: 4, Sha256: sum([]byte("gone"))})
	rig.Complete(b.Rig, store.Files)
	b.Step()
	rig.Fail(b.Rig, store.Read, keyOf(globalFile), agent.Fault{Text: "input/output error"})
	b.Step()
	if got := b.status().Error; got != globalFile+": input/output error" ||
		!rig.IsComplete(b.Rig, config.Items) {
		t.Errorf("error %q", got)
	}
}
