package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/zedbox/ipc"
	"github.com/evetwin/evetwin/cmd/cli"
)

// monitor prints events of topics.
type monitor struct {
	topic, agent string
	json         bool

	mu  sync.Mutex
	out io.Writer
}

func ipcmonitorCommand(b *box) *cobra.Command {
	m := &monitor{}
	c := &cobra.Command{Use: "ipcmonitor", Short: "Rows of the device as they change",
		Args: cli.Usage(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
			m.out = c.OutOrStdout()
			return m.run(c.Context(), b.folder().Run())
		}}
	c.Flags().StringVarP(&m.topic, "topic", "f", "", "only the topics of a name")
	c.Flags().StringVarP(&m.agent, "agent", "a", "", "only the topics of an agent or part")
	c.Flags().BoolVar(&m.json, "json", false, "one object per line")
	return c
}

// run follows the topics that there are, until ctx ends.
func (m *monitor) run(ctx context.Context, run string) error {
	all, err := ipc.Topics(run)
	if err != nil {
		return err
	}
	told := ctx
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var following sync.WaitGroup
	n := 0
	for _, t := range all {
		if m.topic != "" && t.Name != m.topic || m.agent != "" && t.Agent != m.agent {
			continue
		}
		n++
		following.Go(func() {
			if err := ipc.Follow(ctx, run, t, m.print); err != nil {
				stop(err)
			}
		})
	}
	if n == 0 {
		return fmt.Errorf("no topic of that name is served below %s", run)
	}
	following.Wait()
	switch cause := context.Cause(ctx); {
	case told.Err() != nil:
		return nil
	case errors.Is(cause, io.EOF):
		return errors.New("the device has stopped")
	default:
		return cause
	}
}

// event is how a line of --json looks.
type event struct {
	Time  string          `json:"time"`
	Agent string          `json:"agent"`
	Topic string          `json:"topic"`
	Op    ipc.Op          `json:"op"`
	Key   string          `json:"key,omitempty"`
	Row   json.RawMessage `json:"row,omitempty"`
}

func (m *monitor) print(e ipc.Event) error {
	now := time.Now().UTC()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.json {
		return json.NewEncoder(m.out).Encode(event{now.Format(time.RFC3339Nano), e.Agent, e.Topic, e.Op,
			e.Key, e.Row})
	}
	_, err := fmt.Fprintf(m.out, "%s %s/%s %s %s %s\n", now.Format("15:04:05.000"), e.Agent, e.Topic,
		e.Op, e.Key, e.Row)
	return err
}
