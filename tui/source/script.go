package source

import (
	"context"
	"io"
	"time"
)

// Scene is a batch of a script and how long after the one before it comes.
type Scene struct {
	After time.Duration
	Batch *Batch
}

// Script is a Source that plays scenes: recorded ones, or a story.
type Script struct {
	// Next scene by its number from 0, nil at the end. It is asked once for each, in order.
	Scene func(n int) *Scene
	// Start is the local time of the first scene; zero plays in real time. With it, scenes come
	// without waiting, at the times they would have come at: for tests.
	Start time.Time

	n  int
	at time.Time
}

// Next plays the next scene; see Source.
func (s *Script) Next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := s.Scene(s.n)
	if c == nil {
		return nil, io.EOF
	}
	s.n++
	if s.Start.IsZero() {
		t := time.NewTimer(c.After)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-t.C:
		}
		s.at = time.Now()
	} else if s.at.IsZero() {
		s.at = s.Start
	} else {
		s.at = s.at.Add(c.After)
	}
	c.Batch.At = s.at
	return c.Batch, nil
}

// Do refuses: what is played has happened.
func (s *Script) Do(context.Context, Request) error { return ErrReadOnly }

var _ Source = (*Script)(nil)
