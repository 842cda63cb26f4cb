package hubbench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/join"
	"github.com/evetwin/evetwin/core/host"
)

// unlimited lets agents take as many turns as they like.
var unlimited = host.Limits{TurnsPerInstant: 1 << 30, TurnsPerMinute: 1 << 30, PutsPerMinute: -1,
	DurablePerHour: -1}

// play is a process in its role until its input ends.
func play(role string, n int, socket string) error {
	// One loop does all the work of such a process. With one thread to run on, what the socket
	// brings is handed to it without waking another: measured, half of the rows arrive 11 to 15 us
	// earlier.
	runtime.GOMAXPROCS(1)
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		stop(err)
	}()
	out := json.NewEncoder(os.Stdout)
	b := &bench{n: n, tell: func(v any) {
		if err := out.Encode(v); err != nil {
			stop(fmt.Errorf("tell: %w", err))
		}
	}}
	if role == "hub" {
		return b.hub(ctx, socket)
	}
	o := join.Options{Socket: socket, Limits: unlimited}
	for _, e := range b.roster() {
		if e.Name == role || e.Name == "writer-0" && role == "writer" ||
			strings.HasPrefix(e.Name, "writer-") && role == "writers" {
			o.Agents = append(o.Agents, e)
		}
	}
	if role == "listener" {
		b.took = make([]time.Duration, 0, n)
	}
	b.tell(true)
	b.began = time.Now()
	return join.Run(ctx, o)
}

// hub runs the hub.
func (b *bench) hub(ctx context.Context, socket string) error {
	h, err := hub.New(hub.Options{Name: "bench", Socket: socket, Dir: filepath.Dir(socket),
		Agents: b.roster(), Hardware: nothing{}})
	if err != nil {
		return err
	}
	b.tell(true)
	return h.Run(ctx)
}

// nothing is the hardware of a device that has none.
type nothing struct{}

// Wire declares no part.
func (nothing) Wire(*host.Kernel, host.Machine) {}

// Cut loses nothing.
func (nothing) Cut(func(string) uint64) {}
