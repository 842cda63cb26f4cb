package explore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

const (
	// round is how many seeds are run between two looks at what they reached.
	round = 64
	// ahead is how many seeds may be given out beyond the first that is not back. Only plans that are
	// not mixed go ahead of their round: they depend on nothing that other seeds reach.
	ahead = 16 * round
)

// schedule is which seeds are given out, and what is back.
type schedule struct {
	first, end uint64 // of all seeds; end is behind the last
	taken      uint64 // seeds below were taken, in order
	looked     uint64 // seeds below are ready, waiting, given out or back
	waiting    []uint64
	ready      []Job
	back       map[uint64]Done
}

func newSchedule(first, seeds uint64) *schedule {
	s := &schedule{first: first, end: math.MaxUint64, taken: first, looked: first,
		back: map[uint64]Done{}}
	if seeds > 0 {
		s.end = first + seeds
	}
	return s
}

// border is where the round of the first seed that is not taken ends.
func (s *schedule) border() uint64 {
	return min(s.end, s.taken+round-(s.taken-s.first)%round)
}

// fill makes jobs ready when a round begins.
func (x *exploration) fill(s *schedule) {
	border := s.border()
	for _, seed := range s.waiting {
		if seed < border {
			s.ready = append(s.ready, x.job(seed))
		}
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(seed uint64) bool { return seed < border })
	for ; s.looked < min(s.end, s.taken+ahead); s.looked++ {
		if s.looked >= border && mixed(s.looked) {
			s.waiting = append(s.waiting, s.looked)
		} else {
			s.ready = append(s.ready, x.job(s.looked))
		}
	}
	slices.SortFunc(s.ready, func(a, b Job) int { return cmp.Compare(a.Seed, b.Seed) })
}

// absorb takes what is back, in order of seeds, and reports whether there are failures enough.
func (x *exploration) absorb(s *schedule) (enough bool, err error) {
	for {
		d, ok := s.back[s.taken]
		if !ok {
			return false, nil
		}
		delete(s.back, s.taken)
		if d.Err != nil {
			return false, d.Err
		}
		border := s.border()
		if err := x.take(d.Run); err != nil {
			return false, err
		}
		if s.taken++; s.taken != border {
			continue
		}
		if len(x.sum.Failed) >= x.o.Failures {
			return true, nil
		}
		x.fill(s)
	}
}

// work has a crew run the seeds until all were run, the context ends or there are failures enough.
func (x *exploration) work(ctx context.Context, crew Crew) error {
	s := newSchedule(x.o.First, x.lives())
	x.fill(s)
	inner, stop := context.WithCancel(ctx)
	defer stop()
	jobs, done, ended := make(chan Job), make(chan Done, ahead), make(chan error, 1)
	go func() { ended <- crew.Work(inner, jobs, done) }()
	enough, err := x.give(ctx, s, jobs, done, ended)
	stop()
	close(jobs)
	if left := <-ended; err == nil && ctx.Err() == nil {
		err = left
	}
	if err != nil || enough {
		return err
	}
	for len(done) > 0 {
		d := <-done
		s.back[d.Job.Seed] = d
	}
	_, err = x.absorb(s)
	return err
}

// give gives jobs out and takes what comes back.
func (x *exploration) give(ctx context.Context, s *schedule, jobs chan<- Job, done <-chan Done,
	ended chan error,
) (enough bool, err error) {
	for !enough && s.taken < s.end && ctx.Err() == nil {
		var out chan<- Job
		var next Job
		if len(s.ready) > 0 {
			out, next = jobs, s.ready[0]
		}
		select {
		case out <- next:
			s.ready = s.ready[1:]
		case d := <-done:
			s.back[d.Job.Seed] = d
			if enough, err = x.absorb(s); err != nil {
				return false, err
			}
		case err := <-ended:
			ended <- nil
			if err == nil {
				err = fmt.Errorf("seed %d is not back, but nobody works any more", s.taken)
			}
			return false, err
		case <-ctx.Done():
		}
	}
	return enough, nil
}
