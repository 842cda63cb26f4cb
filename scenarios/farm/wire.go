package farm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"github.com/evetwin/evetwin/scenarios/explore"
)

// order is a job on its way to a worker.
type order struct {
	Job explore.Job `json:"job"`
	// Sum tells jobs apart that have the same seed.
	Sum string `json:"sum"`
}

// result is what came of a job, on its way back.
type result struct {
	Seed uint64       `json:"seed"`
	Sum  string       `json:"sum"`
	Run  *explore.Run `json:"run,omitempty"`
	// Error says why there is no run.
	Error string `json:"error,omitempty"`
	// By is the worker, Given how often the job had been given out.
	By    string `json:"by"`
	Given uint64 `json:"given"`
}

// hello is what a worker says when it begins, or refuses.
type hello struct {
	Host    string `json:"host"`
	Build   string `json:"build"`
	Refused string `json:"refused,omitempty"`
}

// newOrder is a job as it travels.
func newOrder(j explore.Job) (*order, error) {
	b, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("encode the job of seed %d: %w", j.Seed, err)
	}
	sum := sha256.Sum256(b)
	return &order{Job: j, Sum: hex.EncodeToString(sum[:8])}, nil
}

// pack encodes a message of at most so many bytes.
func pack(v any, limit int) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := s2.EncodeBetter(nil, b)
	if len(out) > limit {
		return nil, fmt.Errorf("it has %d bytes, the limit is %d", len(out), limit)
	}
	return out, nil
}

// unpack reads a message.
func unpack(b []byte, v any) error {
	n, err := s2.DecodedLen(b)
	if err != nil {
		return err
	}
	if n > 64*maxPayload {
		return errors.New("it is too large")
	}
	plain, err := s2.Decode(nil, b)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, v)
}
