package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/security"
)

// Answer takes an answer of the controller that may hold a configuration, an envelope, and returns
// what an agent may see of it: the envelope with another payload. An envelope that cannot be
// verified, whatever the certificates, is kept back whole, and Kept.Refused says what
// eveapi.Open says of it; a payload that is not an answer likewise, with Kept.Unread.
func (k *Keeper) Answer(body []byte) ([]byte, *security.Kept) {
	out := keptOf(body)
	if _, fault := eveapi.Open(body, nil); fault.Code != eveapi.CertMiss {
		out.Refused = &security.Refusal{Code: uint8(fault.Code), Text: fault.Text}
		return nil, out
	}
	e, _ := eveapi.ParseEnvelope(body) // it was parsed a moment ago
	e.Payload = k.payload(out, body, e.Payload, &config.ConfigResponse{})
	return e.Bytes(), out
}

// Bootstrap takes the file /config/bootstrap-config.pb likewise. A file that is none is kept back
// whole, with Kept.Refused.
func (k *Keeper) Bootstrap(file []byte) ([]byte, *security.Kept) {
	out := keptOf(file)
	msg := &config.BootstrapConfig{}
	if err := eveapi.Unmarshal(file, msg); err != nil {
		out.Refused = refusal(err)
		return nil, out
	}
	payload := k.payload(out, file, msg.GetSignedConfig().GetProtectedPayload().GetPayload(),
		&config.EdgeDevConfig{})
	if b := msg.GetSignedConfig().GetProtectedPayload(); b != nil {
		b.Payload = payload
	}
	Strip(msg, func(string, string) string { return "" }) // nothing is left but unknown fields
	left, err := eveapi.Marshal(msg)
	if err != nil {
		out.Refused = refusal(err)
		return nil, out
	}
	return left, out
}

func keptOf(body []byte) *security.Kept {
	sum := sha256.Sum256(body)
	return &security.Kept{Sha256: hex.EncodeToString(sum[:]), Size: int64(len(body))}
}

// payload is a payload without secrets; msg is an empty message of its type. The whole is kept if
// it is one.
func (k *Keeper) payload(out *security.Kept, whole, payload []byte, msg proto.Message) []byte {
	out.Payload, out.PayloadSize = eveapi.Digest(payload), len(payload)
	if err := eveapi.Unmarshal(payload, msg); err != nil {
		out.Unread = err.Error()
		return nil
	}
	d := &document{sha: out.Sha256, body: whole}
	Strip(msg, func(place, text string) string { return k.keep(d, place, text) })
	left, err := eveapi.Marshal(msg)
	if err != nil {
		k.release(d)
		out.Unread = err.Error()
		return nil
	}
	k.take(d)
	return left
}

func refusal(err error) *security.Refusal {
	var f *eveapi.Fault
	if errors.As(err, &f) {
		return &security.Refusal{Code: uint8(f.Code), Text: f.Text}
	}
	return &security.Refusal{Code: uint8(eveapi.Malformed), Text: err.Error()}
}

// Refused is the fault that Kept.Refused tells of, nil for none.
func Refused(k *security.Kept) *eveapi.Fault {
	if k.Refused == nil {
		return nil
	}
	return &eveapi.Fault{Code: eveapi.Code(k.Refused.Code), Text: k.Refused.Text}
}

// Original is what eveapi needs to verify what was kept back.
func Original(k *security.Kept) eveapi.Original {
	return eveapi.Original{Digest: k.Payload, Size: k.PayloadSize}
}
