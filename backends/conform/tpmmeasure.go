package conform

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"github.com/evetwin/evetwin/backends/eventlog"
	"github.com/evetwin/evetwin/core/device/tpm"
)

// action is EV_EFI_ACTION, which EVE measures files with.
const action = 0x80000007

// none reports whether there is no module; the ops of a module are FaultAbsent then.
func (x *tpmBench) none() bool { return x.kind == "none" }

// absent wants an op refused where there is no module, and reports whether there is none.
func absent[Req, Res any](t *testing.T, x *tpmBench, c *calls[Req, Res], q Req) bool {
	t.Helper()
	if x.none() {
		c.refuses(t, q, tpm.FaultAbsent, false)
	}
	return x.none()
}

// read reads registers.
func (x *tpmBench) read(t *testing.T, registers ...uint32) map[uint32][32]byte {
	t.Helper()
	out := map[uint32][32]byte{}
	for _, p := range x.pcrs.does(t, tpm.PCRsReq{Registers: registers}, nil).PCRs {
		out[p.Register] = p.Value
	}
	return out
}

func (x *tpmBench) registers(t *testing.T) {
	if absent(t, x, x.pcrs, tpm.PCRsReq{}) {
		return
	}
	all := x.pcrs.does(t, tpm.PCRsReq{}, nil).PCRs
	if len(all) != tpm.Registers {
		t.Fatalf("%d registers, want %d", len(all), tpm.Registers)
	}
	for i, p := range all {
		var want [32]byte
		if i >= 17 && i <= 22 { // of a late launch, which there was none
			want = [32]byte(bytes.Repeat([]byte{0xff}, 32))
		}
		if int(p.Register) != i || p.Value != want {
			t.Errorf("number %d is register %d with %x, want %x", i, p.Register, p.Value, want)
		}
	}
	some := x.pcrs.does(t, tpm.PCRsReq{Registers: []uint32{23, 0, 17}}, nil).PCRs
	if len(some) != 3 || some[0] != all[0] || some[1] != all[17] || some[2] != all[23] {
		t.Errorf("registers 23, 0, 17 are %v", some)
	}
}

func (x *tpmBench) wrongRegisters(t *testing.T) {
	event := []byte("event")
	if absent(t, x, x.extend, tpm.ExtendReq{Register: 8, Event: event}) {
		return
	}
	x.pcrs.refuses(t, tpm.PCRsReq{Registers: []uint32{24}}, tpm.FaultRefused, false)
	x.pcrs.refuses(t, tpm.PCRsReq{Registers: []uint32{1, 1}}, tpm.FaultRefused, false)
	for _, q := range []tpm.ExtendReq{{Register: 17, Event: event}, {Register: 24, Event: event},
		{Register: 8}, {Register: 8, Event: make([]byte, tpm.MaxEvent+1)}} {
		x.extend.refuses(t, q, tpm.FaultRefused, false)
	}
	if got := x.read(t, 8)[8]; got != [32]byte{} {
		t.Errorf("what was refused was measured: %x", got)
	}
}

// events are measured in the suite, in this order.
func events() []tpm.ExtendReq {
	return []tpm.ExtendReq{
		{Register: 14, Type: action, Event: []byte("file:/config/server exist:true")},
		{Register: 8, Type: action, Event: []byte("one")},
		{Register: 14, Type: action, Event: []byte("file:/config/uuid exist:false")},
		{Register: 14, Type: action, Event: bytes.Repeat([]byte("x"), tpm.MaxEvent)},
	}
}

func (x *tpmBench) extends(t *testing.T) {
	want := map[uint32][32]byte{}
	for _, q := range events() {
		if absent(t, x, x.extend, q) {
			return
		}
		if x.extend.does(t, q, nil).Before {
			t.Errorf("%.30q was measured before", q.Event)
		}
		d := sha256.Sum256(q.Event)
		old := want[q.Register]
		want[q.Register] = sha256.Sum256(append(old[:], d[:]...))
	}
	for r, v := range x.read(t, 8, 13, 14) {
		if v != want[r] {
			t.Errorf("register %d is %x, want %x", r, v, want[r])
		}
	}
}

func (x *tpmBench) extendsOnce(t *testing.T) {
	if absent(t, x, x.extend, events()[0]) {
		return
	}
	before := x.read(t, 8, 14)
	for _, q := range events() {
		if !x.extend.does(t, q, nil).Before {
			t.Errorf("%.30q is measured again", q.Event)
		}
	}
	for r, v := range x.read(t, 8, 14) {
		if v != before[r] {
			t.Errorf("register %d changed from %x to %x", r, before[r], v)
		}
	}
}

func (x *tpmBench) logged(t *testing.T) {
	if absent(t, x, x.eventLog, tpm.EventLogReq{}) {
		return
	}
	log, err := eventlog.Parse(x.eventLog.does(t, tpm.EventLogReq{}, nil).Measured)
	if err != nil || len(log) != len(events()) {
		t.Fatalf("%d events in the log, %v, want %d", len(log), err, len(events()))
	}
	got := map[uint32][32]byte{}
	for i, e := range log {
		q := events()[i]
		if e.Register != q.Register || e.Type != q.Type || !bytes.Equal(e.Data, q.Event) {
			t.Errorf("event %d is %d %#x %.40q", i, e.Register, e.Type, e.Data)
		}
		got[e.Register] = e.Extend(got[e.Register])
	}
	for r, v := range x.read(t, 8, 14) {
		if got[r] != v {
			t.Errorf("the log leads to %x in register %d, which holds %x", got[r], r, v)
		}
	}
}

// key is the public part of a key on P-256.
func (x *tpmBench) key(t *testing.T, name string) *ecdsa.PublicKey {
	t.Helper()
	k, err := x509.ParsePKIXPublicKey(x.public.does(t, tpm.PublicReq{Name: name}, nil).PKIX)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := k.(*ecdsa.PublicKey)
	if !ok {
		t.Fatalf("key %s is a %T", name, k)
	}
	return e
}

func (x *tpmBench) quotes(t *testing.T) {
	q := tpm.QuoteReq{Nonce: []byte("a nonce of mine"), Registers: []uint32{14, 0, 8}}
	if absent(t, x, x.quote, q) {
		return
	}
	res := x.quote.does(t, q, nil)
	digest := sha256.Sum256(res.Attested)
	if !ecdsa.Verify(x.key(t, tpm.Attest), digest[:], new(big.Int).SetBytes(res.RS[:32]),
		new(big.Int).SetBytes(res.RS[32:])) {
		t.Error("the quote is not signed by the key Attest")
	}
	about, err := tpm2.Unmarshal[tpm2.TPMSAttest](res.Attested)
	if err != nil {
		t.Fatal(err)
	}
	info, err := about.Attested.Quote()
	if err != nil || !bytes.Equal(about.ExtraData.Buffer, q.Nonce) {
		t.Fatalf("the quote is for %q, %v", about.ExtraData.Buffer, err)
	}
	h, now := sha256.New(), x.read(t, 0, 8, 14)
	for i, r := range []uint32{0, 8, 14} {
		if i >= len(res.PCRs) || res.PCRs[i].Register != r || res.PCRs[i].Value != now[r] {
			t.Fatalf("the quote is over %v, want registers 0, 8, 14 with %v", res.PCRs, now)
		}
		h.Write(res.PCRs[i].Value[:])
	}
	if !bytes.Equal(h.Sum(nil), info.PCRDigest.Buffer) {
		t.Error("the quote is over other values than it says")
	}
}

func (x *tpmBench) wrongNonce(t *testing.T) {
	if absent(t, x, x.quote, tpm.QuoteReq{Nonce: make([]byte, 8), Registers: []uint32{0}}) {
		return
	}
	for _, q := range []tpm.QuoteReq{{Registers: []uint32{0}},
		{Nonce: make([]byte, tpm.MinNonce-1), Registers: []uint32{0}},
		{Nonce: make([]byte, tpm.MaxNonce+1), Registers: []uint32{0}},
		{Nonce: make([]byte, tpm.MinNonce)}} {
		x.quote.refuses(t, q, tpm.FaultRefused, false)
	}
	x.quote.does(t, tpm.QuoteReq{Nonce: make([]byte, tpm.MaxNonce), Registers: []uint32{0}}, nil)
}

// measuredAnew has a new boot measure less than the one before.
func (x *tpmBench) measuredAnew(t *testing.T) {
	if absent(t, x, x.eventLog, tpm.EventLogReq{}) {
		return
	}
	key := x.key(t, tpm.Attest)
	x.restart(t)
	for r, v := range x.read(t, 8, 14) {
		if v != [32]byte{} {
			t.Errorf("after a power cut register %d is %x", r, v)
		}
	}
	if got := x.eventLog.does(t, tpm.EventLogReq{}, nil); len(got.Measured) > 0 {
		t.Errorf("after a power cut the log has %d bytes", len(got.Measured))
	}
	if !x.key(t, tpm.Attest).Equal(key) {
		t.Error("after a power cut quotes are signed by another key")
	}
	q := events()[0]
	if x.extend.does(t, q, nil).Before {
		t.Error("what the boot before measured counts as measured")
	}
}

// restart cuts the power and waits until the part has looked at everything.
func (x *tpmBench) restart(t *testing.T) {
	t.Helper()
	x.cycle(t)
	x.until(t, "the keys", func() bool { return x.keys.Complete() })
}
