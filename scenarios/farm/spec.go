package farm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Limits of what a server keeps for an exploration.
const (
	// maxPayload is the largest message, in bytes; jobs and results are compressed.
	maxPayload = 1 << 20
	maxJob     = 256 << 10
	maxResult  = maxPayload - 4096
	// maxJobs and maxResults bound the streams, in bytes; a result has about 5 KB.
	maxJobs    = 256 << 20
	maxResults = 4 << 30
	// maxAge is how long streams and explorations stay that nobody has deleted.
	maxAge = 7 * 24 * time.Hour
	// dedup is how long the server knows a job again that is published twice.
	dedup = 30 * time.Minute
	// maxGiven is how often a job is given out before it is a failure of its own: a run that kills its
	// worker or never ends.
	maxGiven = 5
)

// Spec is what workers know of an exploration.
type Spec struct {
	// Name is unlike that of any other exploration on the server: letters, digits, - and _.
	Name string `json:"name"`
	// Scenario is what is run, Profile under which faults.
	Scenario string `json:"scenario"`
	Profile  string `json:"profile"`
	// First is the first seed.
	First uint64 `json:"first"`
	// Build is the code that runs it: workers of another would find something else.
	Build string `json:"build"`
	// AckWait is how long a worker may be silent before its jobs are given to another, in ns; Limit
	// how long a run may take.
	AckWait time.Duration `json:"ack_wait"`
	Limit   time.Duration `json:"limit"`
	// ID tells the explorations apart that have had the name.
	ID string `json:"id"`
}

// names are what an exploration may be called.
var names = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckName reports why an exploration cannot be called so.
func CheckName(name string) error {
	if !names.MatchString(name) {
		return fmt.Errorf("%q is no name: want up to 64 letters, digits, - or _", name)
	}
	return nil
}

// AnyName draws a name for an exploration of a scenario.
func AnyName(scenario string) string {
	return scenario + "-" + strings.ToLower(rand.Text()[:8])
}

func (s *Spec) jobs() string    { return "evetwin-jobs-" + s.Name }
func (s *Spec) results() string { return "evetwin-results-" + s.Name }

// jobSubject, resultSubject and helloSubject are where jobs, results and greetings go.
func (s *Spec) jobSubject() string { return "evetwin." + s.Name + ".job" }

func (s *Spec) resultSubject(seed uint64) string {
	return fmt.Sprintf("evetwin.%s.result.%d", s.Name, seed)
}

func (s *Spec) helloSubject() string { return "evetwin." + s.Name + ".hello" }
func (s *Spec) aliveSubject() string { return "evetwin." + s.Name + ".coordinator" }

// bucket holds the specs, by name.
const bucket = "evetwin-explorations"

// workers is the name of the consumer that all workers of an exploration share.
const workers = "workers"

// explorations opens the bucket of specs.
func explorations(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	return js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket, TTL: maxAge,
		Description: "explorations of evetwin", Storage: jetstream.FileStorage, MaxBytes: 16 << 20})
}

// announce tells workers of an exploration. One of the same name goes on if it is the same.
func (s *Spec) announce(ctx context.Context, js jetstream.JetStream) error {
	kv, err := explorations(ctx, js)
	if err != nil {
		return err
	}
	e, err := kv.Get(ctx, s.Name)
	if err == nil {
		var was Spec
		if err := json.Unmarshal(e.Value(), &was); err != nil {
			return fmt.Errorf("read what is there by that name: %w", err)
		}
		if was.Scenario != s.Scenario || was.Profile != s.Profile || was.First != s.First ||
			was.Build != s.Build {
			return fmt.Errorf("the server has another exploration of that name: %s under %s from seed %d"+
				" by build %s, this is %s under %s from seed %d by build %s", was.Scenario, was.Profile,
				was.First, was.Build, s.Scenario, s.Profile, s.First, s.Build)
		}
		s.ID = was.ID
	} else if !errors.Is(err, jetstream.ErrKeyNotFound) {
		return err
	}
	if s.ID == "" {
		s.ID = rand.Text()
	}
	if err := s.streams(ctx, js); err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = kv.Put(ctx, s.Name, b)
	return err
}

// streams makes the streams of an exploration, or finds them.
func (s *Spec) streams(ctx context.Context, js jetstream.JetStream) error {
	jobs, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: s.jobs(),
		Subjects: []string{s.jobSubject()}, Retention: jetstream.WorkQueuePolicy,
		Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew, MaxBytes: maxJobs,
		MaxAge: maxAge, MaxMsgSize: maxJob, Duplicates: dedup})
	if err != nil {
		return err
	}
	if _, err := jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: workers,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: s.AckWait, MaxDeliver: -1,
		MaxAckPending: 100_000, MaxWaiting: 10_000}); err != nil {
		return err
	}
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: s.results(),
		Subjects: []string{"evetwin." + s.Name + ".result.*"}, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: 1,
		MaxBytes: maxResults, MaxAge: maxAge, MaxMsgSize: maxPayload, Duplicates: dedup,
		AllowDirect: true})
	return err
}

// forget deletes all that the server has of an exploration; workers stop first.
func (s *Spec) forget(ctx context.Context, js jetstream.JetStream) error {
	kv, err := explorations(ctx, js)
	if err != nil {
		return err
	}
	errs := []error{kv.Purge(ctx, s.Name)}
	for _, name := range []string{s.jobs(), s.results()} {
		if err := js.DeleteStream(ctx, name); !errors.Is(err, jetstream.ErrStreamNotFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
