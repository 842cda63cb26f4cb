package conform

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/core/device/tpm"
)

// place is an index that agents may use.
const place = 0x01500016

// stored wants an index to hold a text; empty: nothing.
func (x *tpmBench) stored(t *testing.T, index uint32, want []byte) {
	t.Helper()
	q := tpm.NVReadReq{Index: index}
	if len(want) == 0 {
		x.nvRead.refuses(t, q, tpm.FaultNoData, true)
		return
	}
	if got := x.nvRead.does(t, q, nil); !bytes.Equal(got.Data, want) {
		t.Errorf("at index %#x are %d bytes, %.20q, want %d", index, len(got.Data), got.Data, len(want))
	}
}

func (x *tpmBench) memory(t *testing.T) {
	if absent(t, x, x.nvRead, tpm.NVReadReq{Index: place}) {
		return
	}
	x.stored(t, place, nil)
	for _, text := range [][]byte{[]byte("first"), []byte("other"), []byte("a longer one"),
		[]byte("x"), bytes.Repeat([]byte("0123456789abcdef"), tpm.MaxNV/16)} {
		for range 2 {
			x.nvWrite.does(t, tpm.NVWriteReq{Index: place, Data: text}, nil)
			x.stored(t, place, text)
		}
	}
	x.stored(t, place+1, nil)
	for range 2 {
		x.nvWrite.does(t, tpm.NVWriteReq{Index: place}, nil)
		x.stored(t, place, nil)
	}
}

func (x *tpmBench) wrongIndex(t *testing.T) {
	if absent(t, x, x.nvWrite, tpm.NVWriteReq{Index: place}) {
		return
	}
	for _, index := range []uint32{0, tpm.FirstIndex - 1, tpm.LastIndex + 1, tpm.DeviceCertIndex,
		tpm.SealedIndex, 0x81000001} {
		x.nvRead.refuses(t, tpm.NVReadReq{Index: index}, tpm.FaultRefused, false)
		x.nvWrite.refuses(t, tpm.NVWriteReq{Index: index, Data: []byte("x")}, tpm.FaultRefused, false)
	}
	x.nvWrite.refuses(t, tpm.NVWriteReq{Index: place, Data: make([]byte, tpm.MaxNV+1)},
		tpm.FaultRefused, false)
	x.stored(t, place, nil)
}

func (x *tpmBench) durableMemory(t *testing.T) {
	q := tpm.NVWriteReq{Index: place, Data: []byte("a credential")}
	if absent(t, x, x.nvWrite, q) {
		return
	}
	x.nvWrite.does(t, q, nil)
	x.restart(t)
	x.stored(t, place, q.Data)
}

// gone wants the device key not to be seen, and not to sign.
func (x *tpmBench) gone(t *testing.T) {
	t.Helper()
	x.sign.refuses(t, tpm.SignReq{Name: tpm.Device}, tpm.FaultNoKey, true)
	if s := x.see(t, tpm.Device); s.rev != 0 {
		t.Errorf("a key that is gone is seen as %+v", s.row)
	}
	x.signs(t, tpm.Onboard)
}

func (x *tpmBench) evicted(t *testing.T) {
	x.create(t)
	if x.none() {
		return
	}
	before := x.see(t, tpm.Device)
	x.outside(t, x.hands.Evict)
	x.gone(t)
	var after seen
	if !x.making.does(t, request(), func() { after = x.look(tpm.Device) }).Restored {
		t.Error("the certificate that was in the module is not restored")
	}
	if after.row != before.row {
		t.Errorf("the key is %+v, was %+v", after.row, before.row)
	}
	x.signs(t, tpm.Device)
}

func (x *tpmBench) cleared(t *testing.T) {
	if x.none() {
		return
	}
	before := x.see(t, tpm.Device)
	public := func(name string) []byte {
		return x.public.does(t, tpm.PublicReq{Name: name}, nil).PKIX
	}
	maker, quoting := public(tpm.Endorsement), public(tpm.Attest)
	x.seal.does(t, tpm.SealReq{Registers: sealedTo()}, nil)
	x.nvWrite.does(t, tpm.NVWriteReq{Index: place, Data: []byte("x")}, nil)
	x.outside(t, x.hands.Clear)
	x.gone(t)
	x.nothingSealed(t)
	x.stored(t, place, nil)
	x.create(t)
	if after := x.see(t, tpm.Device); after.row.CertHash == before.row.CertHash {
		t.Error("another owner has the device key of the one before")
	}
	if !bytes.Equal(public(tpm.Endorsement), maker) || bytes.Equal(public(tpm.Attest), quoting) {
		t.Error("the maker's key changed with the owner, or the quoting key did not")
	}
	x.signs(t, tpm.Device)
}

// heals waits until the module is shown to answer.
func (x *tpmBench) heals(t *testing.T) {
	t.Helper()
	x.until(t, "the module's answer", func() bool {
		m := x.module.Get("tpm")
		return m != nil && !silent(m) && x.keys.Complete()
	})
}

func (x *tpmBench) killed(t *testing.T) {
	if x.none() {
		return
	}
	x.outside(t, x.hands.Kill)
	var m tpm.TpmSeen
	got := x.sign.outcome(t, "x", tpm.SignReq{Name: tpm.Device}, func() { m = *x.module.Get("tpm") })
	if f := got.Fault; f == nil || f.Code != tpm.FaultFailed || !f.Retry {
		t.Fatalf("a dead module signs, or fails with %+v", got.Fault)
	}
	if !silent(&m) || m.Kind != x.kind {
		t.Errorf("a dead module is shown as %+v", m)
	}
	x.seal.refuses(t, tpm.SealReq{Registers: sealedTo()}, tpm.FaultFailed, true)
	x.signs(t, tpm.Onboard)
	x.sign.cancels(t, tpm.SignReq{Name: tpm.Device}, tpm.SignReq{Name: tpm.Onboard}, nil, nil)
	x.outside(t, x.hands.Revive)
	x.heals(t)
	x.signs(t, tpm.Device)
	x.seal.does(t, tpm.SealReq{Registers: sealedTo()}, nil)
}

func (x *tpmBench) deadAtBoot(t *testing.T) {
	if x.none() {
		return
	}
	before := x.see(t, tpm.Device).row
	x.outside(t, x.hands.Kill)
	x.cycle(t)
	x.until(t, "the row of a dead module", func() bool {
		m := x.module.Get("tpm")
		return m != nil && silent(m)
	})
	var complete bool
	x.turn(t, func() { complete = x.keys.Complete() })
	if complete {
		t.Error("keys are complete, though the module did not answer")
	}
	x.signs(t, tpm.Onboard)
	x.outside(t, x.hands.Revive)
	x.heals(t)
	if after := x.see(t, tpm.Device).row; after != before {
		t.Errorf("the healed module has the key %+v, was %+v", after, before)
	}
	x.signs(t, tpm.Device)
}
