package tpm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/google/go-tpm/tpm2"

	"github.com/evetwin/evetwin/backends/eventlog"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/tpm"
)

// reset is what a reset of the device does to the module: registers are zero, those of a late
// launch all ones.
func (t *Tpm) reset() {
	t.pcrs, t.log = [device.Registers][32]byte{}, nil
	for r := 17; r <= 22; r++ {
		t.pcrs[r] = [32]byte(bytes.Repeat([]byte{0xff}, 32))
	}
}

// own is a key of the module's. That of its maker stays when the owner goes.
func (t *Tpm) own(name string) *ecdsa.PrivateKey {
	from := t.Name
	if name != device.Device {
		from += "\x00" + name
	}
	if n := t.Disk.Tpm.Owners; n > 0 && name != device.Endorsement {
		from += fmt.Sprintf("\x00owner %d", n)
	}
	return DeriveKey(t.Seed, from)
}

// read is registers, in ascending order.
func (t *Tpm) read(registers []uint32) []device.PCR {
	var out []device.PCR
	for _, r := range registers {
		out = append(out, device.PCR{Register: r, Value: t.pcrs[r]})
	}
	return out
}

// measure extends a register, once for each event of a boot.
func (t *Tpm) measure(q *device.ExtendReq) (before bool) {
	e := eventlog.Event{Register: q.Register, Type: q.Type, Data: q.Event}
	if t.log.Has(e) {
		return true
	}
	t.pcrs[q.Register] = e.Extend(t.pcrs[q.Register])
	t.log = append(t.log, e)
	return false
}

// selection selects registers of the SHA-256 bank.
func selection(registers []uint32) tpm2.TPMLPCRSelection {
	list := make([]uint, len(registers))
	for i, r := range registers {
		list[i] = uint(r)
	}
	return tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{
		{Hash: tpm2.TPMAlgSHA256, PCRSelect: tpm2.PCClientCompatible.PCRs(list...)}}}
}

// sum is the digest of registers.
func (t *Tpm) sum(registers []uint32) [32]byte {
	h := sha256.New()
	for _, r := range registers {
		h.Write(t.pcrs[r][:])
	}
	return [32]byte(h.Sum(nil))
}

// policy is the digest of a policy that is one TPM2_PolicyPCR over registers as they are.
func (t *Tpm) policy(registers []uint32) []byte {
	digest := t.sum(registers)
	b := binary.BigEndian.AppendUint32(make([]byte, sha256.Size), uint32(tpm2.TPMCCPolicyPCR))
	b = append(append(b, tpm2.Marshal(selection(registers))...), digest[:]...)
	h := sha256.Sum256(b)
	return h[:]
}

func (t *Tpm) seal(secret []byte, registers []uint32) {
	r := &t.Disk.Tpm
	r.Sealings++
	if len(secret) == 0 {
		k := DeriveKey(t.Seed, fmt.Sprintf("%s\x00sealed %d %d", t.Name, r.Owners, r.Sealings))
		b, _ := k.Bytes()
		h := sha256.Sum256(b)
		secret = h[:]
	}
	r.Sealed = &disk.Sealed{Policy: t.policy(registers), Secret: bytes.Clone(secret)}
}

func (t *Tpm) unseal(registers []uint32) ([]byte, *agent.Fault) {
	s := t.Disk.Tpm.Sealed
	if s == nil {
		return nil, &agent.Fault{Code: device.FaultNoData, Text: "unseal: nothing is sealed",
			Retry: true}
	}
	if !bytes.Equal(s.Policy, t.policy(registers)) {
		return nil, &agent.Fault{Code: device.FaultPolicy,
			Text: "unseal: the registers are not as they were when it was sealed"}
	}
	return bytes.Clone(s.Secret), nil
}

func (t *Tpm) write(index uint32, data []byte) {
	r := &t.Disk.Tpm
	if len(data) == 0 {
		delete(r.NV, index)
		return
	}
	if r.NV == nil {
		r.NV = map[uint32][]byte{}
	}
	r.NV[index] = bytes.Clone(data)
}
