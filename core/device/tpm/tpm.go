// Package tpm keeps the device's private keys and works with them, measures what the device runs,
// and seals secrets to what was measured. Keys never leave the part; agents hold their names.
// Secrets never leave the parts; agents hold their references.
//
// Where no TPM is, the part keeps the keys Device, Attest and Ecdh in software and says so: the
// module is of kind "none" and KeySeen.InTPM is false. What takes a module then is FaultAbsent.
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

	Attest      = "attest"      // ECC P-256, signs quotes and nothing else
	Ecdh        = "ecdh"        // ECC P-256, agrees on secrets with others
	Endorsement = "endorsement" // decrypts; of the module's maker, the same for its whole life
	Identity    = "identity"    // signs what the module made; credentials are for it
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
	// Detail is why there is none, or what is special; of a module that does not answer, why.
	// Whether it answers shows when it is used, and, while it does not, about every second.
	Detail string
}

// Key is "tpm".
func (TpmSeen) Key() string { return "tpm" }

// Module is the topic of the module.
var Module = bus.NewTopic[TpmSeen](bus.Decl{Owner: "tpm", Name: "TpmSeen"})

// PublicReq asks for the public part of one of the module's own keys.
type PublicReq struct {
	Name string // Device, Attest, Ecdh, Endorsement or Identity
}

// PublicRes is a public key.
type PublicRes struct {
	PKIX []byte // as SubjectPublicKeyInfo, DER
	Area []byte // as TPMT_PUBLIC; empty for keys in software
}

// Public gives a public key. Keys other than Device come into being when they are first asked for,
// and are durable then; Device is FaultNoKey before it is created.
var Public = agent.NewOp[PublicReq, PublicRes](agent.OpDecl{
	Name: "tpm.Public", Limit: time.Minute, Query: true})

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
	FaultNoKey   = "no-key"  // there is no such key
	FaultFailed  = "failed"  // the module refused or does not answer; Retry
	FaultAbsent  = "absent"  // it takes a module, and keys are in software
	FaultRefused = "refused" // beyond what a module can hold or do, or not for callers
	FaultNoData  = "no-data" // nothing is stored there; Retry
	FaultPolicy  = "policy"  // what was measured is not what the secret was sealed to
	FaultSecret  = "secret"  // nobody knows what a reference stands for; Retry
)
