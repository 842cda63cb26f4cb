package tpm

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// MaxSealed is the most bytes of a sealed secret.
const MaxSealed = 64

// Outcomes and requests have references of secrets. What they stand for is known to the device's
// secret.Keeper, which the parts share: eveapi/secret says how many it keeps, and in what order it
// forgets them. A reference that nobody knows any more is FaultSecret; the op that gave it gives it
// again, and the same one for the same secret, also in another boot.

// SealReq seals a secret to what the registers hold now.
type SealReq struct {
	// Secret is a reference, of up to MaxSealed bytes. Empty: 32 random bytes of the module's own,
	// whose reference Unseal gives.
	Secret    string
	Registers []uint32
}

// SealRes is empty.
type SealRes struct{}

// Seal keeps a secret in the module, durably, in place of the one it kept. Only Unseal gives it,
// and only while the registers have the values they have now. The policy is the digest of one
// TPM2_PolicyPCR.
var Seal = agent.NewOp[SealReq, SealRes](agent.OpDecl{
	Name: "tpm.Seal", Limit: time.Minute, Callers: []string{"vaultmgr"}})

// UnsealReq asks for the secret. The module does not tell to which registers it is sealed: others
// than those are FaultPolicy, too.
type UnsealReq struct{ Registers []uint32 }

// UnsealRes is the secret.
type UnsealRes struct {
	Secret string // its reference, of secret.Sealed
}

// Unseal gives the sealed secret: FaultNoData if there is none, FaultPolicy if the registers have
// other values, which only another boot or another Seal heals.
var Unseal = agent.NewOp[UnsealReq, UnsealRes](agent.OpDecl{
	Name: "tpm.Unseal", Limit: time.Minute, Callers: []string{"vaultmgr"}})

// AgreeReq names who else knows a secret.
type AgreeReq struct {
	Peer []byte // a point on P-256, uncompressed: 4, x and y
}

// AgreeRes is a point that the key Ecdh and the peer have in common.
type AgreeRes struct {
	Point string // its reference, of secret.Agreed: x and y, 32 bytes each, big endian
}

// Agree multiplies the peer's point with the private key Ecdh.
var Agree = agent.NewOp[AgreeReq, AgreeRes](agent.OpDecl{
	Name: "tpm.Agree", Limit: time.Minute, Query: true})

// ActivateReq is a credential as TPM2_MakeCredential gives it. Both of its parts are encrypted:
// anybody may see them.
type ActivateReq struct {
	Blob   []byte // TPMS_ID_OBJECT
	Secret []byte // TPMU_ENCRYPTED_SECRET
}

// ActivateRes is what the credential holds.
type ActivateRes struct {
	Credential string // its reference, of secret.Credential
}

// Activate opens a credential that was made for the key Identity, with the key Endorsement: who
// gets to know what is in it has both in one module. One for others, or a damaged one, is
// FaultRefused.
var Activate = agent.NewOp[ActivateReq, ActivateRes](agent.OpDecl{
	Name: "tpm.Activate", Limit: time.Minute, Query: true})
