package eveapi

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	// MaxObjects is how many messages may be nested in one body. The smallest message takes two
	// bytes on the wire and hundreds in memory, so the size of a body alone bounds little.
	MaxObjects = 100_000
	// MaxDepth is how deep messages may be nested in one body.
	MaxDepth = 64
	// countFrom is the size up to which a body cannot hold enough messages to matter.
	countFrom = 64 << 10
)

var errStopped = errors.New("an inner message is malformed")

// eachField calls f for each field of a serialized message, with the bytes of a length-delimited
// field or the value of a varint, until f says false.
func eachField(b []byte,
	f func(n protowire.Number, t protowire.Type, v []byte, u uint64) bool,
) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return steady(protowire.ParseError(n))
		}
		b = b[n:]
		var val []byte
		var u uint64
		switch typ {
		case protowire.BytesType:
			val, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			u, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return steady(protowire.ParseError(n))
		}
		b = b[n:]
		if !f(num, typ, val, u) {
			return errStopped
		}
	}
	return nil
}

// Marshal serializes a message so that equal messages give equal bytes.
func Marshal(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("serialize %s: %w", m.ProtoReflect().Descriptor().Name(), steady(err))
	}
	return b, nil
}

// Unmarshal parses a serialized message within the bounds of this package. The error is a *Fault
// with code Malformed or TooLarge.
func Unmarshal(b []byte, m proto.Message) error {
	name := m.ProtoReflect().Descriptor().Name()
	if len(b) > MaxEnvelope {
		return faultf(TooLarge, "%s of %d bytes exceeds the limit of %d", name, len(b), MaxEnvelope)
	}
	if len(b) > countFrom {
		left := MaxObjects
		if err := countObjects(b, m.ProtoReflect().Descriptor(), MaxDepth, &left); err != nil {
			return faultf(Malformed, "%s: %v", name, err)
		}
		if left < 0 {
			return faultf(TooLarge, "%s holds more than %d objects", name, MaxObjects)
		}
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: MaxDepth}).Unmarshal(b, m); err != nil {
		return faultf(Malformed, "%s does not parse: %v", name, steady(err))
	}
	return nil
}

// countObjects takes one from left for every message and every element of a list inside b, and
// stops early once nothing is left.
func countObjects(b []byte, md protoreflect.MessageDescriptor, depth int, left *int) error {
	if depth == 0 {
		return fmt.Errorf("nested deeper than %d", MaxDepth)
	}
	var deep error
	fields := md.Fields()
	err := eachField(b, func(n protowire.Number, t protowire.Type, v []byte, _ uint64) bool {
		fd := fields.ByNumber(n)
		if fd == nil {
			return true
		}
		if fd.Message() != nil || fd.Cardinality() == protoreflect.Repeated {
			*left--
		}
		if *left >= 0 && fd.Message() != nil && t == protowire.BytesType {
			deep = countObjects(v, fd.Message(), depth-1, left)
		}
		return deep == nil && *left >= 0
	})
	if errors.Is(err, errStopped) {
		return deep
	}
	return err
}
