package conform_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/led"
	"github.com/evetwin/evetwin/backends/linux/store/watch"
	"github.com/evetwin/evetwin/backends/sim/boot"
)

// blind says that a backend has no light to look at.
func blind(need string) string {
	if need == conform.NeedsLight {
		return "there is none to look at"
	}
	return ""
}

func TestModelLedConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	can := model
	can.Lacks = blind
	conform.Led(t, can, func(*testing.T) conform.LedSetup {
		return conform.LedSetup{Setup: conform.Setup{Part: boot.Light{Boot: &boot.Boot{}}}}
	})
}

// TestConsoleLedConforms is the part on a machine without a light.
func TestConsoleLedConforms(t *testing.T) {
	linux := realPart("console")
	linux.Lacks = blind
	conform.Led(t, linux, func(t *testing.T) conform.LedSetup {
		var told bytes.Buffer
		part := led.New(led.Options{Dir: t.TempDir(), Console: &told})
		t.Cleanup(func() {
			part.Close()
			if !bytes.Contains(told.Bytes(), []byte("light: 3 blinks\n")) {
				t.Errorf("the console was told %q", told.String())
			}
		})
		return conform.LedSetup{Setup: conform.Setup{Part: part, Cut: part.Close}}
	})
}

// TestLinuxLedConforms is the part on a tree of files as the kernel has them.
func TestLinuxLedConforms(t *testing.T) {
	conform.Led(t, realPart("linux"), func(t *testing.T) conform.LedSetup {
		dir := filepath.Join(t.TempDir(), "status")
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		must(os.Mkdir(dir, 0o700))
		file := func(name string) string { return filepath.Join(dir, name) }
		put := func(name, text string) { must(os.WriteFile(file(name), []byte(text), 0o600)) }
		power := func() { put("trigger", "none [heartbeat] timer\n") }
		power()
		put("max_brightness", "255\n")
		put("brightness", "0")
		left := false
		part := led.New(led.Options{Dir: filepath.Dir(dir)})
		t.Cleanup(part.Close)
		cut := func() {
			part.Close()
			if text, err := os.ReadFile(file("trigger")); err != nil || string(text) != "heartbeat" {
				t.Errorf("the light was given back with trigger %q, %v", text, err)
			}
			power() // the kernel marks the trigger in its list
			if left {
				left = false
				put("brightness", "255")
			}
		}
		return conform.LedSetup{Setup: conform.Setup{Part: part, Cut: cut},
			Looks: func(d time.Duration, f func()) []conform.LedTurn {
				w := &watcher{path: file("brightness"), began: time.Now()}
				x, err := watch.New(w)
				must(err)
				must(x.Add(dir))
				f()
				<-time.After(d)
				must(x.Close())
				return w.turns
			},
			Break: func(broken bool) {
				if broken {
					must(os.Rename(file("brightness"), file("gone")))
				} else {
					must(os.Rename(file("gone"), file("brightness")))
				}
			},
			Turn: func(on bool) {
				text := "0"
				if on {
					text = "255"
				}
				put("brightness", text)
			},
			Left: func() { left = true },
			Trigger: func() string {
				text, err := os.ReadFile(file("trigger"))
				must(err)
				return string(text)
			}}
	})
}

// watcher sees a light turn.
type watcher struct {
	path  string
	began time.Time
	turns []conform.LedTurn
}

// Changed notes a turn.
func (w *watcher) Changed(string, string) {
	at := time.Since(w.began)
	text, err := os.ReadFile(w.path)
	on := string(text) == "255"
	if n := len(w.turns); err == nil && (n == 0 || w.turns[n-1].On != on) {
		w.turns = append(w.turns, conform.LedTurn{At: at, On: on})
	}
}

// Lost cannot happen: a light turns five times a second.
func (w *watcher) Lost() {}
