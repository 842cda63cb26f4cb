// Package eventlog is the log of what an operating system measured into the registers of a TPM, as
// TCG's PC client profile writes it: TCG_PCR_EVENT2 structures with SHA-256 digests.
package eventlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// sha256Alg is TPM_ALG_SHA256.
const sha256Alg = 0x000b

// Event is a measured event.
type Event struct {
	Register uint32
	Type     uint32
	Data     []byte
}

// Digest is what the register was extended by.
func (e *Event) Digest() [32]byte { return sha256.Sum256(e.Data) }

// Extend is a register after the event.
func (e *Event) Extend(register [32]byte) [32]byte {
	d := e.Digest()
	return sha256.Sum256(append(register[:], d[:]...))
}

// Log is events in the order in which they were measured.
type Log []Event

// Has reports whether the log has an equal event.
func (l Log) Has(e Event) bool {
	for _, x := range l {
		if x.Register == e.Register && x.Type == e.Type && bytes.Equal(x.Data, e.Data) {
			return true
		}
	}
	return false
}

// Bytes is the log as TCG writes it.
func (l Log) Bytes() []byte {
	var out []byte
	for _, e := range l {
		d := e.Digest()
		out = binary.LittleEndian.AppendUint32(out, e.Register)
		out = binary.LittleEndian.AppendUint32(out, e.Type)
		out = binary.LittleEndian.AppendUint32(out, 1)
		out = binary.LittleEndian.AppendUint16(out, sha256Alg)
		out = append(out, d[:]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(e.Data)))
		out = append(out, e.Data...)
	}
	return out
}

// errCut says that a log ends amid an event, or holds what this package does not write.
var errCut = errors.New("the event log is cut off or of another make")

// Parse reads what Bytes wrote. An event whose digest is not that of its data is an error.
func Parse(b []byte) (Log, error) {
	const head, tail = 14, 4
	var l Log
	for len(b) > 0 {
		if len(b) < head+sha256.Size+tail || binary.LittleEndian.Uint32(b[8:]) != 1 ||
			binary.LittleEndian.Uint16(b[12:]) != sha256Alg {
			return nil, errCut
		}
		e := Event{Register: binary.LittleEndian.Uint32(b), Type: binary.LittleEndian.Uint32(b[4:])}
		digest := [32]byte(b[head:])
		n := uint64(binary.LittleEndian.Uint32(b[head+sha256.Size:]))
		b = b[head+sha256.Size+tail:]
		if n > uint64(len(b)) {
			return nil, errCut
		}
		e.Data, b = bytes.Clone(b[:n]), b[n:]
		if e.Digest() != digest {
			return nil, errors.New("the event log has a digest that is not its event's")
		}
		l = append(l, e)
	}
	return l, nil
}
