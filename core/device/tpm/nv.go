package tpm

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Indexes of the module's memory.
const (
	DeviceCertIndex = 0x01500000 // the device certificate, in PEM
	SealedIndex     = 0x01800000 // the sealed secret
	FirstIndex      = 0x01000000 // of the owner's
	LastIndex       = 0x01bfffff
	MaxNV           = 1 << 10 // bytes at an index
)

// Storable reports whether agents may use an index: the owner's, without those that the part
// itself uses.
func Storable(index uint32) bool {
	return index >= FirstIndex && index <= LastIndex && index != DeviceCertIndex &&
		index != SealedIndex
}

// Registers, event logs and quotes are public; so is what agents store in the module's memory. What
// is secret they have sealed.

// NVReadReq names an index.
type NVReadReq struct{ Index uint32 }

// NVReadRes is what is stored there. It is no secret.
type NVReadRes struct{ Data []byte }

// NVRead reads the module's memory: FaultNoData if nothing is stored at the index.
var NVRead = agent.NewOp[NVReadReq, NVReadRes](agent.OpDecl{
	Name: "tpm.NVRead", Limit: 10 * time.Second, Query: true})

// NVWriteReq stores data at an index. It is no secret: rows and recordings have it.
type NVWriteReq struct {
	Index uint32
	Data  []byte // up to MaxNV bytes; empty removes the index
}

// NVWriteRes is empty.
type NVWriteRes struct{}

// NVWrite writes the module's memory, durably. Memory that wears out is only written when it has
// something else.
var NVWrite = agent.NewOp[NVWriteReq, NVWriteRes](agent.OpDecl{
	Name: "tpm.NVWrite", Limit: time.Minute})
