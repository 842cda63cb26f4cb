package controllersim

import (
	"github.com/evetwin/evetwin/core/eveapi"
	"google.golang.org/protobuf/encoding/protowire"
)

// unknownField is a field number that no message of the API uses.
const unknownField = 50_000

// oversize adds n bytes to a message, in a field that nobody knows.
func oversize(payload []byte, n int) []byte {
	out := append(make([]byte, 0, len(payload)+n+16), payload...)
	out = protowire.AppendTag(out, unknownField, protowire.BytesType)
	return protowire.AppendBytes(out, make([]byte, n))
}

// corrupt flips a bit in the middle of the payload of an envelope, in place.
func corrupt(envelope []byte) {
	if e, fault := eveapi.ParseEnvelope(envelope); fault == nil && len(e.Payload) > 0 {
		e.Payload[len(e.Payload)/2] ^= 0x10
		return
	}
	if n := len(envelope); n > 0 {
		envelope[n-1] ^= 0x10
	}
}
