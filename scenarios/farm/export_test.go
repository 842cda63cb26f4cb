package farm

import (
	"context"
	"slices"
)

// Streams are the names of all streams on the server.
func (c *Conn) Streams(ctx context.Context) ([]string, error) {
	l := c.js.StreamNames(ctx)
	var out []string
	for name := range l.Name() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out, l.Err()
}

// Results is how many results the server has of an exploration.
func (c *Crew) Results(ctx context.Context) (uint64, error) {
	i, err := c.results.Info(ctx)
	if err != nil {
		return 0, err
	}
	return i.State.Msgs, nil
}
