package conform

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// Onboarding is what stands in /config of the device: the certificate and the key of the
// onboarding identity, in PEM.
type Onboarding struct{ Cert, Key []byte }

// TPMSetup is a part tpm to check. It has no device key yet.
type TPMSetup struct {
	Setup
	// Kind is what the part calls itself in tpm.TpmSeen: "none" keeps keys in software.
	Kind string
	// Hands are those of somebody else at the module; none where there is none.
	Hands TPMHands
}

// TPMHands do things to a module without the part, on the device's loop.
type TPMHands struct {
	// Evict removes the device key from it.
	Evict func()
	// Clear clears it: it has another owner then.
	Clear func()
	// Kill makes it stop answering, and Revive go on.
	Kill, Revive func()
}

// TPMMaker makes a part tpm that finds the onboarding identity and no device key; it is called more
// than once and cleans up with t. The part takes the keeper of secrets from keeper at each boot.
type TPMMaker = func(t *testing.T, o Onboarding, keeper func() *secret.Keeper) TPMSetup

// TPM checks a part tpm on a backend.
func TPM(t *testing.T, b Backend, mk TPMMaker) {
	s := suite[*tpmBench]{part: "tpm", groups: tpmCases(), show: map[string]func(any) string{
		tpm.Keys.String(): showKey, tpm.Module.String(): showModule}}
	s.run(t, b, func(t *testing.T) *tpmBench { return newTPMBench(t, mk) })
	t.Run("no key behind the certificate", func(t *testing.T) { noKey(t, mk) })
}

// showKey leaves out the certificate: every part makes its own.
func showKey(row any) string {
	k := row.(*tpm.KeySeen)
	return fmt.Sprintf("%s, in the TPM: %v", k.Name, k.InTPM)
}

// tpmBench is a bench with a part tpm.
type tpmBench struct {
	*bench
	tpmOps
	hands  TPMHands
	kind   string
	pem    Onboarding
	making *calls[tpm.CreateReq, tpm.CreateRes]
	sign   *calls[tpm.SignReq, tpm.SignRes]
	keeper *secret.Keeper // of this boot, for the device's loop
	keys   *bus.Sub[tpm.KeySeen]
	module *bus.Sub[tpm.TpmSeen]
}

func newTPMBench(t *testing.T, mk TPMMaker) *tpmBench {
	t.Helper()
	return newTPMBenchOf(t, newOnboarding(t), mk)
}

// newTPMBenchOf boots a part that finds the given onboarding identity.
func newTPMBenchOf(t *testing.T, o Onboarding, mk TPMMaker) *tpmBench {
	t.Helper()
	x := &tpmBench{pem: o, tpmOps: newTPMOps(), making: newCalls(tpm.Create),
		sign: newCalls(tpm.Sign)}
	s := mk(t, o, func() *secret.Keeper {
		x.keeper = secret.New([]byte("key of the device"))
		return x.keeper
	})
	x.kind, x.hands = s.Kind, s.Hands
	state := func() string {
		return rows("keys", x.keys) + rows("module", x.module)
	}
	x.bench = newBench(t, s.Setup, "vaultmgr", state, func(b *bench, p bus.Port) []looker {
		x.keys, x.module = bus.Subscribe(p, tpm.Keys), bus.Subscribe(p, tpm.Module)
		x.making.attach(b, p)
		x.sign.attach(b, p)
		return append([]looker{x.making, x.sign}, x.tpmOps.attach(b, p)...)
	})
	x.until(t, "complete tables", func() bool { return x.keys.Complete() && x.module.Complete() })
	return x
}

// showModule tells whether the module answers: kinds and makers differ.
func showModule(row any) string {
	if m := row.(*tpm.TpmSeen); !silent(m) {
		return "it is there"
	}
	return "it does not answer"
}

// silent reports whether a row is that of a module that does not answer.
func silent(m *tpm.TpmSeen) bool { return strings.HasPrefix(m.Detail, "it does not answer") }

// newOnboarding makes an onboarding identity.
func newOnboarding(t *testing.T) Onboarding {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0),
		Subject: pkix.Name{CommonName: "onboard"}}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Onboarding{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})}
}

// noKey has certificates without a key of theirs: they are not seen, and cannot sign.
func noKey(t *testing.T, mk TPMMaker) {
	whole, other := newOnboarding(t), newOnboarding(t)
	for name, o := range map[string]Onboarding{
		"no key":         {Cert: whole.Cert},
		"unreadable key": {Cert: whole.Cert, Key: []byte("no PEM")},
		"another's key":  {Cert: whole.Cert, Key: other.Key},
		"no certificate": {Key: whole.Key},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTPMBenchOf(t, o, mk)
			if s := x.see(t, tpm.Onboard); s.rev != 0 {
				t.Errorf("what has no key is seen as %+v", s.row)
			}
			x.sign.refuses(t, tpm.SignReq{Name: tpm.Onboard}, tpm.FaultNoKey, true)
			x.create(t)
			x.signs(t, tpm.Device)
		})
	}
}

// seen is a key's row, and its revision.
type seen struct {
	row tpm.KeySeen
	rev uint64
}

// look reads a key's row in a turn of the desk.
func (x *tpmBench) look(name string) (s seen) {
	if r := x.keys.Get(name); r != nil {
		s = seen{*r, x.keys.Rev(name)}
	}
	return s
}

// see reads a key's row in a turn of its own.
func (x *tpmBench) see(t *testing.T, name string) (s seen) {
	t.Helper()
	x.turn(t, func() { s = x.look(name) })
	return s
}

// request is a Create of the device key.
func request() tpm.CreateReq {
	return tpm.CreateReq{Name: tpm.Device,
		NotBefore: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Unix()}
}

// certificate reads what a row shows and compares it with the row's hash.
func (s seen) certificate(t *testing.T) *x509.Certificate {
	t.Helper()
	b, _ := pem.Decode([]byte(s.row.CertPEM))
	if b == nil {
		t.Fatalf("key %q shows no certificate: %q", s.row.Name, s.row.CertPEM)
	}
	cert, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if s.row.CertHash != sha256.Sum256(b.Bytes) {
		t.Errorf("the hash of key %s is not that of its certificate", s.row.Name)
	}
	return cert
}

func (x *tpmBench) complete(t *testing.T) {
	var n int
	var module tpm.TpmSeen
	x.turn(t, func() {
		n = x.keys.Len()
		if m := x.module.Get("tpm"); m != nil {
			module = *m
		}
	})
	if n != 1 {
		t.Errorf("%d keys, want the onboarding key alone", n)
	}
	if module.Kind != x.kind {
		t.Errorf("the module is %+v, want kind %s", module, x.kind)
	}
	if module.Kind == "none" && module.Detail == "" || module.Kind != "none" && module.Vendor == "" {
		t.Errorf("the module %+v does not say what it is", module)
	}
	s := x.see(t, tpm.Onboard)
	if s.row.InTPM || s.row.CertPEM != string(x.pem.Cert) {
		t.Errorf("the onboarding key is %+v", s.row)
	}
	s.certificate(t)
}

func (x *tpmBench) wrong(t *testing.T) {
	x.sign.refuses(t, tpm.SignReq{Name: tpm.Device}, tpm.FaultNoKey, true)
	x.sign.refuses(t, tpm.SignReq{Name: "nobody"}, tpm.FaultNoKey, true)
	x.making.refuses(t, tpm.CreateReq{Name: "nobody"}, tpm.FaultNoKey, false)
	x.making.refuses(t, tpm.CreateReq{Name: tpm.Onboard}, tpm.FaultNoKey, false)
	x.turn(t, func() {
		if x.keys.Len() != 1 {
			t.Errorf("%d keys after requests that failed, want the onboarding key", x.keys.Len())
		}
	})
}

func (x *tpmBench) create(t *testing.T) {
	q := request()
	var s seen
	if res := x.making.does(t, q, func() { s = x.look(tpm.Device) }); res.Restored {
		t.Error("a key that was not there is restored")
	}
	cert := s.certificate(t)
	from := time.Unix(q.NotBefore, 0).UTC()
	if cert.NotBefore.After(from) || !cert.NotAfter.Equal(from.AddDate(20, 0, 0)) {
		t.Errorf("valid from %v to %v, want 20 years from %v", cert.NotBefore, cert.NotAfter, from)
	}
	public, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		t.Errorf("the public key is %T, want one on P-256", cert.PublicKey)
	}
	if err := cert.CheckSignatureFrom(cert); err != nil {
		t.Errorf("the certificate is not signed by its own key: %v", err)
	}
	if s.row.InTPM != (x.kind != "none") {
		t.Errorf("kind %s shows a device key with InTPM %v", x.kind, s.row.InTPM)
	}
}

func (x *tpmBench) again(t *testing.T) {
	before := x.see(t, tpm.Device)
	q := request()
	q.NotBefore += 1000
	var after seen
	if res := x.making.does(t, q, func() { after = x.look(tpm.Device) }); !res.Restored {
		t.Error("a key that is there is made, not restored")
	}
	if after != before {
		t.Errorf("doing it again changed revision %d to %d", before.rev, after.rev)
	}
}

// signs signs, and verifies with the public key that is shown.
func (x *tpmBench) signs(t *testing.T, name string) {
	s := x.see(t, name)
	public, _ := s.certificate(t).PublicKey.(*ecdsa.PublicKey)
	for _, text := range []string{"", "one", "two", "three"} {
		digest := sha256.Sum256([]byte(text))
		res := x.sign.does(t, tpm.SignReq{Name: name, Digest: digest}, nil)
		if res.CertHash != s.row.CertHash {
			t.Errorf("%s signs with certificate %x, shown is %x", name, res.CertHash, s.row.CertHash)
		}
		r, v := new(big.Int).SetBytes(res.RS[:32]), new(big.Int).SetBytes(res.RS[32:])
		if !ecdsa.Verify(public, digest[:], r, v) {
			t.Errorf("signature %x by %s does not verify", res.RS, name)
		}
		digest[0] ^= 1
		if ecdsa.Verify(public, digest[:], r, v) {
			t.Errorf("the signature by %s verifies for another digest", name)
		}
	}
}

func (x *tpmBench) signsQuietly(t *testing.T) {
	before := x.see(t, tpm.Device)
	var after seen
	x.sign.does(t, tpm.SignReq{Name: tpm.Device}, func() { after = x.look(tpm.Device) })
	if after != before {
		t.Errorf("a signature changed revision %d to %d", before.rev, after.rev)
	}
}

func (x *tpmBench) survives(t *testing.T) {
	device, onboard := x.see(t, tpm.Device).row, x.see(t, tpm.Onboard).row
	x.cycle(t)
	x.until(t, "the keys", func() bool { return x.keys.Complete() })
	if after := x.see(t, tpm.Device).row; after != device {
		t.Errorf("after a power cut the device key is %+v, was %+v", after, device)
	}
	if after := x.see(t, tpm.Onboard).row; after != onboard {
		t.Errorf("after a power cut the onboarding key is %+v, was %+v", after, onboard)
	}
	x.signs(t, tpm.Device)
	x.signs(t, tpm.Onboard)
	x.again(t)
}

// cancelled drops a Create and a Sign on their way.
func (x *tpmBench) cancelled(t *testing.T) {
	var s seen
	got := x.making.cancels(t, request(), request(), nil, func() { s = x.look(tpm.Device) })
	if got.Phase != agent.Done {
		t.Fatalf("a cancelled Create keeps the next from its end: %+v", *got.Fault)
	}
	s.certificate(t)
	q := tpm.SignReq{Name: tpm.Device}
	if got := x.sign.cancels(t, q, q, nil, nil); got.Phase != agent.Done {
		t.Fatalf("a cancelled Sign keeps the next from its end: %+v", *got.Fault)
	}
	if after := x.see(t, tpm.Device); after != s {
		t.Error("the key changed behind the outcome of its making")
	}
	x.signs(t, tpm.Device)
}

// cutShort cuts the power on the way to a key: the next boot has it whole or not at all.
func (x *tpmBench) cutShort(t *testing.T) {
	x.turn(t, func() { x.making.use.Want("x", request()) })
	x.cycle(t)
	x.until(t, "the keys", func() bool { return x.keys.Complete() })
	found := x.see(t, tpm.Device)
	var s seen
	res := x.making.does(t, request(), func() { s = x.look(tpm.Device) })
	if found.row.Name != "" && (found != s || !res.Restored) {
		t.Errorf("the key that the cut left was made anew, restored: %v", res.Restored)
	}
	s.certificate(t)
	x.signs(t, tpm.Device)
}
