package eveapi

import (
	"time"

	"github.com/lf-edge/eve-api/go/auth"
	"github.com/lf-edge/eve-api/go/certs"
	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/encoding/protowire"
)

// ConfigRequestBody builds the payload that asks for the configuration. hash is the one of the last
// answer that was applied, "" to get the whole; token the integrity token of attestation, or nil.
func ConfigRequestBody(hash string, token []byte) []byte {
	var b []byte
	b = appendOptional(b, 1, []byte(hash))
	return appendOptional(b, 2, token)
}

// ParseConfigRequest parses the payload of a config request.
func ParseConfigRequest(payload []byte) (hash string, token []byte, err error) {
	msg := &config.ConfigRequest{}
	if err := Unmarshal(payload, msg); err != nil {
		return "", nil, err
	}
	return msg.GetConfigHash(), msg.GetIntegrityToken(), nil
}

// Field numbers of ConfigResponse and of the field of EdgeDevConfig that follows the certificates.
const (
	fieldResponseConfig protowire.Number = 1
	fieldResponseHash   protowire.Number = 2
	fieldCertsHash      protowire.Number = 22
)

// ConfigResponseBody builds the payload of an answer from an EdgeDevConfig that is serialized
// already, so that a controller serializes a configuration once and not for each answer.
// certsHash is set as its controllercert_confighash, over one that it may have; "" leaves it
// alone.
func ConfigResponseBody(edgeDevConfig []byte, certsHash, hash string) []byte {
	inner := len(edgeDevConfig)
	if certsHash != "" {
		inner += sizeBytes(fieldCertsHash, len(certsHash))
	}
	b := make([]byte, 0, sizeBytes(fieldResponseConfig, inner)+sizeBytes(fieldResponseHash, len(hash)))
	b = protowire.AppendTag(b, fieldResponseConfig, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(inner))
	b = append(b, edgeDevConfig...)
	// A field that comes again replaces the earlier one, by protobuf's rules.
	b = appendOptional(b, fieldCertsHash, []byte(certsHash))
	return appendOptional(b, fieldResponseHash, []byte(hash))
}

// ParseConfigResponse parses the payload of an answer. The configuration is nil in the
// specification's form of "unchanged", an answer 200 with the hash alone.
func ParseConfigResponse(payload []byte) (*config.EdgeDevConfig, string, error) {
	msg := &config.ConfigResponse{}
	if err := Unmarshal(payload, msg); err != nil {
		return nil, "", err
	}
	return msg.GetConfig(), msg.GetConfigHash(), nil
}

// BootstrapFile builds /config/bootstrap-config.pb from an envelope whose payload is an
// EdgeDevConfig and the certificates that verify it.
func BootstrapFile(envelope []byte, list []*certs.ZCert) ([]byte, error) {
	signed := &auth.AuthContainer{}
	if err := Unmarshal(envelope, signed); err != nil {
		return nil, err
	}
	return Marshal(&config.BootstrapConfig{SignedConfig: signed, ControllerCerts: list})
}

// OpenBootstrap opens /config/bootstrap-config.pb: its certificates are validated to the root, of
// which none needs to be for ECDH, its envelope against them. The error is a *Fault.
func OpenBootstrap(file, rootsPEM []byte, now time.Time, opts CertOptions) (
	*config.EdgeDevConfig, error,
) {
	return openBootstrap(file, nil, rootsPEM, now, opts)
}

// OpenStrippedBootstrap is OpenBootstrap for a file whose payload was replaced by one without
// secrets; see OpenStripped.
func OpenStrippedBootstrap(file []byte, was Original, rootsPEM []byte, now time.Time,
	opts CertOptions,
) (*config.EdgeDevConfig, error) {
	return openBootstrap(file, &was, rootsPEM, now, opts)
}

func openBootstrap(file []byte, was *Original, rootsPEM []byte, now time.Time, opts CertOptions) (
	*config.EdgeDevConfig, error,
) {
	msg := &config.BootstrapConfig{}
	if err := Unmarshal(file, msg); err != nil {
		return nil, err
	}
	opts.NoECDH = true
	cc, fault := validateCerts(msg.GetControllerCerts(), rootsPEM, now, opts)
	if fault != nil {
		return nil, fault
	}
	e := envelopeOf(msg.GetSignedConfig())
	payload, fault := open(e.Bytes(), was, cc.Trusted())
	if fault == nil && e.Encrypted {
		fault = faultf(Malformed, "the bootstrap configuration is encrypted")
	}
	if fault != nil {
		return nil, fault
	}
	cfg := &config.EdgeDevConfig{}
	if err := Unmarshal(payload, cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

// envelopeOf is an envelope that was parsed as a message.
func envelopeOf(signed *auth.AuthContainer) Envelope {
	return Envelope{
		Payload: signed.GetProtectedPayload().GetPayload(), Algo: signed.GetAlgo(),
		CertHash: signed.GetSenderCertHash(), Signature: signed.GetSignatureHash(),
		Encrypted: signed.GetCipherData() != nil || signed.GetCipherContext() != nil,
	}
}
