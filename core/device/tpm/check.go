package tpm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/core/agent"
)

// refused is the fault of a request that no module carries out.
func refused(format string, args ...any) *agent.Fault {
	return &agent.Fault{Code: FaultRefused, Text: fmt.Sprintf(format, args...)}
}

// Ordered returns registers in ascending order, or why they are none: each is below Registers and
// stands once. An empty list is all of them where all says so, else refused.
func Ordered(registers []uint32, all bool) ([]uint32, *agent.Fault) {
	if len(registers) == 0 && all {
		for r := range uint32(Registers) {
			registers = append(registers, r)
		}
		return registers, nil
	}
	out := slices.Clone(registers)
	slices.Sort(out)
	if len(out) == 0 || len(slices.Compact(slices.Clone(out))) != len(out) ||
		out[len(out)-1] >= Registers {
		return nil, refused("registers %d: want some, each below %d and once", registers, Registers)
	}
	return out, nil
}

// Check says what is wrong with a request, nil for nothing.
func (q *ExtendReq) Check() *agent.Fault {
	if !Measurable(q.Register) {
		return refused("extend register %d: it is not the operating system's", q.Register)
	}
	if len(q.Event) == 0 || len(q.Event) > MaxEvent {
		return refused("measure %d bytes: want 1 to %d", len(q.Event), MaxEvent)
	}
	return nil
}

// Check says what is wrong with the nonce of a request, nil for nothing.
func (q *QuoteReq) Check() *agent.Fault {
	if len(q.Nonce) < MinNonce || len(q.Nonce) > MaxNonce {
		return refused("quote for a nonce of %d bytes: want %d to %d", len(q.Nonce), MinNonce, MaxNonce)
	}
	return nil
}

// Find looks for the secret of a request with value, which is secret.Keeper.Reveal. It returns none
// where the module is to draw one, or says what is wrong.
func (q *SealReq) Find(value func(ref string) (string, bool)) ([]byte, *agent.Fault) {
	if q.Secret == "" {
		return nil, nil
	}
	text, ok := value(q.Secret)
	switch {
	case !ok:
		return nil, &agent.Fault{Code: FaultSecret, Retry: true,
			Text: "seal: nobody knows what the reference stands for"}
	case len(text) == 0 || len(text) > MaxSealed:
		return nil, refused("seal %d bytes: want 1 to %d", len(text), MaxSealed)
	}
	return []byte(text), nil
}

// Check says what is wrong with a request, nil for nothing.
func (q *AgreeReq) Check() *agent.Fault {
	if _, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), q.Peer); err != nil {
		return refused("agree with a peer: %v", err)
	}
	return nil
}

// Check says what is wrong with a request, nil for nothing.
func (q *NVReadReq) Check() *agent.Fault {
	if !Storable(q.Index) {
		return refused("read at index %#x: it is not for agents", q.Index)
	}
	return nil
}

// Check says what is wrong with a request, nil for nothing.
func (q *NVWriteReq) Check() *agent.Fault {
	if !Storable(q.Index) {
		return refused("store at index %#x: it is not for agents", q.Index)
	}
	if len(q.Data) > MaxNV {
		return refused("store %d bytes at index %#x: want %d at most", len(q.Data), q.Index, MaxNV)
	}
	return nil
}
