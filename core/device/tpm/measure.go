package tpm

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Limits of measurements.
const (
	Registers = 24      // PCRs of a module, in its SHA-256 bank
	MaxEvent  = 1 << 10 // bytes of an event
	MinNonce  = 8       // bytes of a quote's nonce
	MaxNonce  = 32
)

// Measurable reports whether the operating system may extend a register: 0 to 16, and 23. The
// others belong to a late launch.
func Measurable(register uint32) bool { return register <= 16 || register == 23 }

// PCRsReq asks for registers; none means all.
type PCRsReq struct{ Registers []uint32 }

// PCR is a register.
type PCR struct {
	Register uint32
	Value    [32]byte // of the SHA-256 bank
}

// PCRsRes is registers as they are now, in ascending order.
type PCRsRes struct{ PCRs []PCR }

// PCRs reads registers.
var PCRs = agent.NewOp[PCRsReq, PCRsRes](agent.OpDecl{
	Name: "tpm.PCRs", Limit: 10 * time.Second, Query: true})

// ExtendReq measures an event into a register.
type ExtendReq struct {
	Register uint32
	Type     uint32 // of the event, as TCG numbers them: 0x80000007 is EV_EFI_ACTION
	Event    []byte // what is measured: the register is extended by its SHA-256
}

// ExtendRes tells whether the event was measured before in this boot.
type ExtendRes struct{ Before bool }

// Extend measures an event and puts it in the event log. One that the log of this boot has for the
// register is not measured again, so that a call may be repeated.
var Extend = agent.NewOp[ExtendReq, ExtendRes](agent.OpDecl{
	Name: "tpm.Extend", Limit: 10 * time.Second})

// EventLogReq asks for the event log.
type EventLogReq struct{}

// EventLogRes is the event log of this boot.
type EventLogRes struct {
	Firmware []byte // as the firmware and the boot loader left it, in their format; may be empty
	// Measured is what Extend measured since: TCG_PCR_EVENT2 structures with SHA-256 digests alone.
	Measured []byte
}

// EventLog reads the event log.
var EventLog = agent.NewOp[EventLogReq, EventLogRes](agent.OpDecl{
	Name: "tpm.EventLog", Limit: 10 * time.Second, Query: true})

// QuoteReq asks the module to sign its registers.
type QuoteReq struct {
	Nonce     []byte // MinNonce to MaxNonce bytes
	Registers []uint32
}

// QuoteRes is a quote.
type QuoteRes struct {
	Attested []byte // TPMS_ATTEST: what is signed; it holds the nonce and a digest of the registers
	RS       [64]byte
	// PCRs are the values that the quote is over.
	PCRs []PCR
}

// Quote signs registers with the key Attest: r and s over the SHA-256 of Attested.
var Quote = agent.NewOp[QuoteReq, QuoteRes](agent.OpDecl{
	Name: "tpm.Quote", Limit: time.Minute, Query: true})
