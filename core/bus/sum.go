package bus

import "encoding/binary"

// Sum is a running 64-bit checksum of values and a count of the bytes they take. It is the same on
// every machine; it is not cryptographic.
type Sum struct {
	h uint64
	// Size counts the bytes added so far: 8 per number, the length of each text.
	Size int
}

const (
	mixA = 0x9E3779B97F4A7C15
	mixB = 0xBF58476D1CE4E5B9
)

// Mix scrambles one word: every bit of x moves about half of the result's.
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= mixB
	x ^= x >> 27
	x *= 0x94D049BB133111EB
	return x ^ x>>31
}

// Word adds a number.
func (s *Sum) Word(x uint64) {
	s.h = (s.h ^ x) * mixA
	s.h ^= s.h >> 32
	s.Size += 8
}

// String adds a text and its length.
func (s *Sum) String(t string) {
	s.Word(uint64(len(t)))
	s.Size += len(t) - 8
	for len(t) >= 8 {
		s.h = (s.h ^ (uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56)) * mixA
		s.h ^= s.h >> 29
		t = t[8:]
	}
	var x uint64
	for i := range len(t) {
		x = x<<8 | uint64(t[i])
	}
	s.h = (s.h ^ x) * mixA
	s.h ^= s.h >> 32
}

// Bytes adds a byte slice and its length; it equals String of the same bytes.
func (s *Sum) Bytes(b []byte) {
	s.Word(uint64(len(b)))
	s.Size += len(b) - 8
	for len(b) >= 8 {
		s.h = (s.h ^ binary.LittleEndian.Uint64(b)) * mixA
		s.h ^= s.h >> 29
		b = b[8:]
	}
	var x uint64
	for i := range b {
		x = x<<8 | uint64(b[i])
	}
	s.h = (s.h ^ x) * mixA
	s.h ^= s.h >> 32
}

// Value is the checksum so far.
func (s *Sum) Value() uint64 { return Mix(s.h) }
