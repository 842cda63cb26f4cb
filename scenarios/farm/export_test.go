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

// Stop stops the server of this process as a crash of its machine would, its folder stays.
func (s *Server) Stop() {
	s.gone = ""
	s.Close()
}
