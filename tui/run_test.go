package tui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
)

// screen is a terminal that tells when something was written to it.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	rang chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.rang <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

// shows waits until a text was written.
func (s *screen) shows(t *testing.T, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		found := strings.Contains(s.text.String(), text)
		s.mu.Unlock()
		if found {
			return
		}
		select {
		case <-s.rang:
		case <-late:
			t.Fatalf("%q was not written: %q", text, s.text.String())
		}
	}
}

// started runs a terminal on a feed that has one table.
func started(ctx context.Context, t *testing.T) (*screen, io.Writer, <-chan error) {
	t.Helper()
	in, keys, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); keys.Close() })
	out, done := &screen{rang: make(chan struct{}, 1)}, make(chan error, 1)
	src := &source.Script{Start: time.Now(), Scene: func(n int) *source.Scene {
		if n > 0 {
			return nil
		}
		return &source.Scene{Batch: &source.Batch{Reset: true, Device: &source.Device{Name: "edge"},
			Rows: []source.Change{{Topic: node.Client.String(), Key: "global",
				Val: &node.ClientStatus{Step: "certs"}}}}}
	}}
	go func() {
		done <- Run(ctx, src, Options{In: in, Out: out, Env: []string{"TERM=xterm-256color"}})
	}()
	return out, keys, done
}

func TestRunEndsWithTheOperator(t *testing.T) {
	out, keys, done := started(t.Context(), t)
	out.shows(t, "\x1b[?1049h") // a screen of its own
	fmt.Fprint(keys, "q")
	if err := <-done; err != nil {
		t.Errorf("%v", err)
	}
	out.shows(t, "\x1b[?1049l") // which it leaves
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, _, done := started(ctx, t)
	out.shows(t, "\x1b[?1049h")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("%v", err)
	}
}

// BenchmarkFrame is a batch of 50 rows, as 20 a second make 1,000 changes a second, and its
// drawing.
func BenchmarkFrame(b *testing.B) {
	for n, name := range []string{"overview", "network", "applications", "topics", "log"} {
		for _, size := range [][2]int{{80, 25}, {200, 60}} {
			b.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(b *testing.B) {
				m := terminal(b, busyAt, size[0], size[1]).typed(fmt.Sprint(n + 1))
				m.stage.Theme = style.New(style.Colour, style.Unicode())
				at := m.stage.Now
				for i := range b.N {
					at = at.Add(50 * time.Millisecond)
					batch := &source.Batch{At: at}
					for j := range 50 {
						batch.Rows = append(batch.Rows, source.Change{Topic: "nim/Trial",
							Key: fmt.Sprint(j), Rev: uint64(i), Val: &node.ClientStatus{Tries: i}})
					}
					m.Update(batchMsg{batch})
					if len(m.View()) == 0 {
						b.Fatal("nothing is drawn")
					}
				}
			})
		}
	}
}

var _ tea.Model = (*model)(nil)
