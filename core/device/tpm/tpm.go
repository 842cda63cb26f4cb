// Package tpm keeps the device's private keys and signs with them. Keys never leave the part;
// agents hold their names. Where no TPM is, the part keeps them in software and says so.
package tpm

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Names of keys.
const (
	Device  = "device"  // ECC P-256, signs all but registration
	Onboard = "onboard" // from /config/onboard.{cert,key}.pem, signs registration
)

// KeySeen is a key that exists, with its certificate. A certificate is no key: one whose private
// key is not there, cannot be read or is another's is not seen, and to sign with it is FaultNoKey.
type KeySeen struct {
	Name     string
	InTPM    bool
	CertPEM  string   // empty while there is no certificate
	CertHash [32]byte // SHA-256 over the DER certificate
}

// Key is the name.
func (k KeySeen) Key() string { return k.Name }

// Keys is the topic of keys; complete once the part has looked for all of them.
var Keys = bus.NewTopic[KeySeen](bus.Decl{Owner: "tpm", Name: "KeySeen"})

// TpmSeen is the module itself.
type TpmSeen struct {
	Kind     string // "device", "swtpm", "model", "none"
	Vendor   string
	Firmware string
	Detail   string // why there is none, or what is special
}

// Key is "tpm".
func (TpmSeen) Key() string { return "tpm" }

// Module is the topic of the module.
var Module = bus.NewTopic[TpmSeen](bus.Decl{Owner: "tpm", Name: "TpmSeen"})

// CreateReq makes the device key and its self-signed certificate. A key that exists is kept, a
// certificate that is found in the TPM is restored (DEV-2).
type CreateReq struct {
	Name      string
	NotBefore int64 // unix seconds; the certificate is valid for 20 years
}

// CreateRes tells whether it was restored.
type CreateRes struct{ Restored bool }

// Create makes a key with its certificate; both are durable when it is done.
var Create = agent.NewOp[CreateReq, CreateRes](agent.OpDecl{
	Name: "tpm.Create", Limit: 2 * time.Minute})

// SignReq asks for a signature by a named key.
type SignReq struct {
	Name   string
	Digest [32]byte // SHA-256 of what is signed
}

// SignRes is an ECDSA signature and who signed.
type SignRes struct {
	RS       [64]byte // r and s, 32 bytes each, big endian
	CertHash [32]byte // SHA-256 over the signer's DER certificate
}

// Sign signs a digest.
var Sign = agent.NewOp[SignReq, SignRes](agent.OpDecl{
	Name: "tpm.Sign", Limit: 10 * time.Second, Query: true})

// Fault codes.
const (
	FaultNoKey  = "no-key" // there is no such key
	FaultFailed = "failed" // the module refused or does not answer; Retry
)
