package conform

import (
	"testing"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/tpm"
)

// tpmOps are the calls of the ops about more than keys with certificates.
type tpmOps struct {
	public   *calls[tpm.PublicReq, tpm.PublicRes]
	pcrs     *calls[tpm.PCRsReq, tpm.PCRsRes]
	extend   *calls[tpm.ExtendReq, tpm.ExtendRes]
	eventLog *calls[tpm.EventLogReq, tpm.EventLogRes]
	quote    *calls[tpm.QuoteReq, tpm.QuoteRes]
	seal     *calls[tpm.SealReq, tpm.SealRes]
	unseal   *calls[tpm.UnsealReq, tpm.UnsealRes]
	agree    *calls[tpm.AgreeReq, tpm.AgreeRes]
	activate *calls[tpm.ActivateReq, tpm.ActivateRes]
	nvRead   *calls[tpm.NVReadReq, tpm.NVReadRes]
	nvWrite  *calls[tpm.NVWriteReq, tpm.NVWriteRes]
}

func newTPMOps() tpmOps {
	return tpmOps{newCalls(tpm.Public), newCalls(tpm.PCRs), newCalls(tpm.Extend),
		newCalls(tpm.EventLog), newCalls(tpm.Quote), newCalls(tpm.Seal), newCalls(tpm.Unseal),
		newCalls(tpm.Agree), newCalls(tpm.Activate), newCalls(tpm.NVRead), newCalls(tpm.NVWrite)}
}

// attach is part of the wiring of a boot.
func (o tpmOps) attach(b *bench, p bus.Port) []looker {
	o.public.attach(b, p)
	o.pcrs.attach(b, p)
	o.extend.attach(b, p)
	o.eventLog.attach(b, p)
	o.quote.attach(b, p)
	o.seal.attach(b, p)
	o.unseal.attach(b, p)
	o.agree.attach(b, p)
	o.activate.attach(b, p)
	o.nvRead.attach(b, p)
	o.nvWrite.attach(b, p)
	return []looker{o.public, o.pcrs, o.extend, o.eventLog, o.quote, o.seal, o.unseal, o.agree,
		o.activate, o.nvRead, o.nvWrite}
}

func tpmCases() []Group[*tpmBench] {
	return []Group[*tpmBench]{{"keys", tpmKeys()},
		{Name: "cancelled", Cases: []Case[*tpmBench]{
			{Name: "create and sign", Run: (*tpmBench).cancelled,
				Loose:  "a cancelled call may still take effect",
				Clause: "a call that is cancelled ends within a second"}}},
		{Name: "power cut", Cases: []Case[*tpmBench]{
			{Name: "while a key is made", Run: (*tpmBench).cutShort, Loose: chance,
				Clause: "the next boot has a key whole or not at all"},
			{Name: "while a secret is sealed", Run: (*tpmBench).cutSealing, Loose: chance,
				Clause: "Seal keeps a secret, durably, in place of the one it kept: one of both is there"}}},
		{"own keys", tpmOwnKeys()}, {"measurements", tpmMeasurements()}, {"secrets", tpmSecrets()},
		{"memory", tpmMemory()}, {"somebody else", tpmHands()}}
}

func tpmKeys() []Case[*tpmBench] {
	signs := func(name string) func(*tpmBench, *testing.T) {
		return func(x *tpmBench, t *testing.T) { x.signs(t, name) }
	}
	return []Case[*tpmBench]{
		{Name: "complete after boot", Run: (*tpmBench).complete,
			Clause: "Keys is complete when the part has looked for all; Module says what it is"},
		{Name: "wrong requests", Run: (*tpmBench).wrong,
			Clause: "FaultNoKey: there is no such key"},
		{Name: "onboarding key signs", Run: signs(tpm.Onboard),
			Clause: "Sign gives r and s of an ECDSA signature, and who signed"},
		{Name: "create", Run: (*tpmBench).create,
			Clause: "Create makes the device key and its self-signed certificate, valid for 20 years"},
		{Name: "create again", Run: (*tpmBench).again,
			Clause: "a key that exists is kept, and said to be restored"},
		{Name: "device key signs", Run: signs(tpm.Device),
			Clause: "the device key signs digests, on P-256"},
		{Name: "signing changes nothing", Run: (*tpmBench).signsQuietly,
			Clause: "a query changes no row"},
		{Name: "same keys after a power cut", Run: (*tpmBench).survives,
			Clause: "key and certificate are durable when Create is done"},
	}
}

func tpmOwnKeys() []Case[*tpmBench] {
	return []Case[*tpmBench]{
		{Name: "public parts", Run: (*tpmBench).publics,
			Clause: "keys come into being when asked for; Device is FaultNoKey before it is created"},
		{Name: "device key", Run: (*tpmBench).devicePublic,
			Clause: "Public gives the key that the certificate is of"},
		{Name: "agree", Run: (*tpmBench).agrees,
			Clause: "Agree multiplies the peer's point with the private key Ecdh"},
		{Name: "agree with nonsense", Run: (*tpmBench).disagrees,
			Clause: "a peer is a point on P-256, uncompressed, else FaultRefused"},
		{Name: "agree with many", Run: (*tpmBench).agreesMuch,
			Clause: "the op that gave a reference which is forgotten gives it again"},
		{Name: "credential", Run: (*tpmBench).activates,
			Clause: "Activate opens a credential that was made for Identity, with Endorsement"},
		{Name: "credential for others", Run: (*tpmBench).refusesCredential,
			Clause: "a credential for others, or a damaged one, is FaultRefused"},
		{Name: "same keys after a power cut", Run: (*tpmBench).sameOwnKeys,
			Clause: "keys are durable when they were asked for"},
	}
}

func tpmMeasurements() []Case[*tpmBench] {
	return []Case[*tpmBench]{
		{Name: "registers after a reset", Run: (*tpmBench).registers,
			Clause: "PCRs gives registers in ascending order; none asked for means all"},
		{Name: "wrong requests", Run: (*tpmBench).wrongRegisters,
			Clause: "each register is below Registers and once; Measurable says which may be extended"},
		{Name: "extend", Run: (*tpmBench).extends,
			Clause: "the register is extended by the SHA-256 of the event"},
		{Name: "extend again", Run: (*tpmBench).extendsOnce,
			Clause: "an event that the log of this boot has for the register is not measured again"},
		{Name: "event log", Run: (*tpmBench).logged,
			Clause: "the event log leads to what the registers hold"},
		{Name: "quote", Run: (*tpmBench).quotes,
			Clause: "Quote signs registers and a nonce with the key Attest"},
		{Name: "quote for a wrong nonce", Run: (*tpmBench).wrongNonce,
			Clause: "a nonce has MinNonce to MaxNonce bytes, else FaultRefused"},
		{Name: "after a power cut", Run: (*tpmBench).measuredAnew,
			Clause: "registers and event log are those of this boot; the quoting key stays"},
	}
}

func tpmSecrets() []Case[*tpmBench] {
	return []Case[*tpmBench]{
		{Name: "nothing sealed", Run: (*tpmBench).nothingSealed, Clause: "FaultNoData if there is none"},
		{Name: "wrong requests", Run: (*tpmBench).wrongSeal,
			Clause: "1 to MaxSealed bytes, to some registers, else FaultRefused; FaultSecret: not known"},
		{Name: "seal and unseal", Run: (*tpmBench).seals, Clause: "Unseal gives the sealed secret"},
		{Name: "the module's own", Run: (*tpmBench).sealsOwn,
			Clause: "an empty secret is 32 random bytes of the module's own, another each time"},
		{Name: "the same reference", Run: (*tpmBench).sameReference,
			Clause: "a secret has the same reference each time, and another one has another"},
		{Name: "other registers", Run: (*tpmBench).otherRegisters,
			Clause: "registers other than those it is sealed to are FaultPolicy"},
		{Name: "something else was measured", Run: (*tpmBench).policyBroken,
			Clause: "FaultPolicy if the registers have other values, which another boot or Seal heals"},
		{Name: "after a power cut", Run: (*tpmBench).unsealsAfterCut,
			Clause: "Seal is durable; the next boot that measures the same makes the reference anew"},
	}
}

func tpmMemory() []Case[*tpmBench] {
	return []Case[*tpmBench]{
		{Name: "write, read, remove", Run: (*tpmBench).memory,
			Clause: "NVWrite stores, empty data removes, undoing what is undone is well"},
		{Name: "not for agents", Run: (*tpmBench).wrongIndex,
			Clause: "agents use the owner's indexes, without those of the part itself"},
		{Name: "durable", Run: (*tpmBench).durableMemory,
			Clause: "an op that writes is done only when what it wrote survives a power cut"},
	}
}

func tpmHands() []Case[*tpmBench] {
	return []Case[*tpmBench]{
		{Name: "device key removed", Run: (*tpmBench).evicted,
			Clause: "a key that is gone is seen no more once it is used; Create restores its certificate"},
		{Name: "module cleared", Run: (*tpmBench).cleared,
			Clause: "another owner has other keys and finds nothing stored; the maker's key stays"},
		{Name: "module killed", Run: (*tpmBench).killed,
			Clause: "a module that does not answer is FaultFailed, shown as such, and asked again"},
		{Name: "module dead at boot", Run: (*tpmBench).deadAtBoot,
			Clause: "Keys is complete once the part has looked for all of them"},
	}
}
