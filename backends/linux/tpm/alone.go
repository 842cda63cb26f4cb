package tpm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// tidyLimit bounds what is done after a context is over.
const tidyLimit = 300 * time.Millisecond

// Kinds of handles that come and go, by the first handle of each. A TPM has room for few of them.
const (
	sessionHandles = 0x02000000
	savedHandles   = 0x03000000
	objectHandles  = 0x80000000
)

// alone runs f, whose commands belong together, without others of its like in between. What an
// earlier one had to leave in the TPM goes first.
func (t *TPM) alone(f func() error) error {
	ctx := t.over.(link).ctx
	select {
	case t.wire.whole <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for the TPM: %w", ctx.Err())
	}
	defer func() { <-t.wire.whole }()
	if t.wire.litter {
		if err := tidy(t.over); err != nil {
			return fmt.Errorf("tidy up the TPM: %w", err)
		}
		t.wire.litter = false
	}
	err := f()
	if ctx.Err() != nil || errors.Is(err, errSilent) {
		t.wire.litter = true
	}
	return err
}

// tidy removes objects and sessions. A resource manager shows each of its users only their own, and
// without one the TPM is ours.
func tidy(over transport.TPM) error {
	for _, first := range []uint32{objectHandles, sessionHandles, savedHandles} {
		answer, err := tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: first,
			PropertyCount: 64}.Execute(over)
		if err != nil {
			return err
		}
		list, err := answer.CapabilityData.Data.Handles()
		if err != nil {
			return err
		}
		for _, h := range list.Handle {
			// Behind objects come handles of other kinds; sessions are listed by where they are, and
			// named by what they are.
			if first == objectHandles && uint32(h)&0xff000000 != first {
				continue
			}
			if _, err := (tpm2.FlushContext{FlushHandle: h}).Execute(over); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush removes an object, also when the caller's time is over.
func (t *TPM) flush(h tpm2.TPMHandle) error {
	over := t.over
	if t.over.(link).ctx.Err() != nil {
		ctx, cancel := context.WithTimeout(context.Background(), tidyLimit)
		defer cancel()
		over = link{t.wire, ctx}
	}
	_, err := tpm2.FlushContext{FlushHandle: h}.Execute(over)
	return err
}
