package secret

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/lf-edge/eve-api/go/auth"
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
	"google.golang.org/protobuf/proto"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/security"
)

// signer signs as a controller does.
type signer struct {
	key  *ecdsa.PrivateKey
	cert eveapi.TrustedCert
}

func newSigner(t *testing.T, name string) *signer {
	t.Helper()
	d := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	return &signer{k, eveapi.TrustedCert{Hash: d, ECDSA: &k.PublicKey}}
}

func (s *signer) seal(t *testing.T, payload []byte) []byte {
	t.Helper()
	digest := eveapi.Digest(payload)
	der, err := s.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := eveapi.RawSignature(der)
	if err != nil {
		t.Fatal(err)
	}
	return eveapi.Envelope{Payload: payload, CertHash: s.cert.Hash[:], Signature: rs[:],
		Algo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES}.Bytes()
}

// secretly is a configuration with one secret, and a name that makes it another document.
func secretly(t *testing.T, name, word string) []byte {
	t.Helper()
	b, err := eveapi.Marshal(&config.ConfigResponse{ConfigHash: "h", Config: &config.EdgeDevConfig{
		DeviceName: name, Datastores: []*config.DatastoreConfig{{Id: store1, Password: word}}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// open verifies what a keeper left and returns the password's reference.
func open(t *testing.T, by *signer, left []byte, kept *security.Kept) (string, *eveapi.Fault) {
	t.Helper()
	payload, fault := eveapi.OpenStripped(left, Original(kept), []eveapi.TrustedCert{by.cert})
	if fault != nil {
		return "", fault
	}
	cfg, hash, err := eveapi.ParseConfigResponse(payload)
	if err != nil || hash != "h" {
		t.Fatalf("hash %q: %v", hash, err)
	}
	return cfg.GetDatastores()[0].GetPassword(), nil
}

func TestAnswersComeWithoutSecretsAndStillVerify(t *testing.T) {
	c, k := newSigner(t, "controller"), New([]byte("key"))
	body := c.seal(t, secretly(t, "edge", "sesame"))
	left, kept := k.Answer(body)
	ref, fault := open(t, c, left, kept)
	if fault != nil || strings.Contains(string(left), "sesame") || kept.Size != int64(len(body)) ||
		kept.Refused != nil || kept.Unread != "" {
		t.Fatalf("%v: %q %+v", fault, left, kept)
	}
	if v, ok := k.Value(ref); !ok || v != "sesame" || Tag(ref) == "" {
		t.Errorf("%s is %q %v", ref, v, ok)
	}
	if b, ok := k.Bytes(kept.Sha256); !ok || string(b) != string(body) {
		t.Error("the bytes as they came are lost")
	}
	// What is verified is the payload as it came.
	if _, fault := open(t, newSigner(t, "other"), left, kept); fault.Code != eveapi.CertMiss {
		t.Errorf("another's certificate: %v", fault)
	}
	wrong := *kept
	wrong.Payload[3]++
	if _, fault := open(t, c, left, &wrong); fault.Code != eveapi.SignVerifyFail {
		t.Errorf("another payload: %v", fault)
	}
	_, fault = eveapi.Open(left, []eveapi.TrustedCert{c.cert})
	if fault.Code != eveapi.SignVerifyFail {
		t.Errorf("what is left was not signed: %v", fault)
	}
}

// Whatever is wrong with an answer, the agent learns what it would have found out itself, and sees
// nothing of it.
func TestBrokenAnswersGiveTheFaultsOfOpen(t *testing.T) {
	c, k := newSigner(t, "controller"), New(nil)
	good := c.seal(t, secretly(t, "edge", "sesame"))
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)-3]++ // of the signature
	envelope := func(f func(e *auth.AuthContainer)) []byte {
		e := &auth.AuthContainer{}
		if err := proto.Unmarshal(good, e); err != nil {
			t.Fatal(err)
		}
		f(e)
		b, err := eveapi.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, body := range map[string][]byte{
		"whole": good, "flipped": flipped, "cut": good[:len(good)-9], "half": good[:len(good)/2],
		"page": []byte("<html>sesame</html>"), "large": make([]byte, eveapi.MaxEnvelope+1),
		"algorithm": envelope(func(e *auth.AuthContainer) { e.Algo = 7 }),
		"hash":      envelope(func(e *auth.AuthContainer) { e.SenderCertHash = []byte{1} }),
		"unknown":   envelope(func(e *auth.AuthContainer) { e.SenderCertHash = make([]byte, 32) }),
		"encrypted": envelope(func(e *auth.AuthContainer) { e.CipherData = &evecommon.CipherBlock{} }),
		"unsigned":  envelope(func(e *auth.AuthContainer) { e.SignatureHash = nil }),
		"nonsense":  c.seal(t, []byte("sesame \xff")), "empty": c.seal(t, nil),
		"many": c.seal(t, make([]byte, 70<<10)),
	} {
		payload, want := eveapi.Open(body, []eveapi.TrustedCert{c.cert})
		left, kept := k.Answer(body)
		if name != "whole" && strings.Contains(string(left), "sesame") {
			t.Errorf("%s: %q is left", name, left)
		}
		got := Refused(kept)
		if got == nil {
			_, got = eveapi.OpenStripped(left, Original(kept), []eveapi.TrustedCert{c.cert})
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
		if want != nil {
			continue
		}
		text := ""
		if _, _, err := eveapi.ParseConfigResponse(payload); err != nil {
			text = err.Error()
		}
		if kept.Unread != text {
			t.Errorf("%s: unread %q, not %q", name, kept.Unread, text)
		}
	}
}

func TestReferencesFollowTheSecret(t *testing.T) {
	c, k := newSigner(t, "controller"), New([]byte("key"))
	take := func(k *Keeper, name, word string) string {
		left, kept := k.Answer(c.seal(t, secretly(t, name, word)))
		ref, fault := open(t, c, left, kept)
		if fault != nil {
			t.Fatal(fault)
		}
		return ref
	}
	one, same, other := take(k, "a", "sesame"), take(k, "b", "sesame"), take(k, "a", "barley")
	if one != same || one == other {
		t.Errorf("references %q %q %q", one, same, other)
	}
	if again := take(New([]byte("key")), "c", "sesame"); again != one {
		t.Errorf("after a boot %q is %q", one, again)
	}
	if foreign := take(New([]byte("another device")), "a", "sesame"); foreign == one {
		t.Error("the tag tells the same on another device: it is no keyed hash")
	}
	if tag := Tag(one); len(tag) != 4 {
		t.Errorf("the tag %q is long enough to tell a right guess", tag)
	}
}

// A tag has 16 bits: two values of one place that would share it do not.
func TestTwoSecretsNeverShareAReference(t *testing.T) {
	k, d, refs := New([]byte("key")), &document{}, map[string]string{}
	for n := range 5000 {
		word := fmt.Sprint("word ", n)
		ref := k.keep(d, "config:x:password", word)
		if old, ok := refs[ref]; ok {
			t.Fatalf("%s is %q and %q", ref, old, word)
		}
		refs[ref] = word
	}
	for ref, word := range refs {
		if v, _ := k.Value(ref); v != word {
			t.Fatalf("%s is %q, not %q", ref, v, word)
		}
	}
}

// Nobody can take the secrets in force away or change them, however much he sends.
func TestUnsignedAnswersLeaveSecretsInForceAlone(t *testing.T) {
	c, x, k := newSigner(t, "controller"), newSigner(t, "attacker"), New([]byte("key"))
	left, kept := k.Answer(c.seal(t, secretly(t, "edge", "sesame")))
	ref, _ := open(t, c, left, kept)
	k.Hold(kept.Sha256)
	for n := range 100 {
		k.Answer(x.seal(t, secretly(t, fmt.Sprint("x", n), fmt.Sprint("word ", n))))
	}
	if v, ok := k.Value(ref); !ok || v != "sesame" {
		t.Errorf("%s is %q %v", ref, v, ok)
	}
	if _, ok := k.Bytes(kept.Sha256); !ok {
		t.Error("the bytes in force are lost")
	}
	if n := len(k.values); n > maxSeen+maxHeld {
		t.Errorf("%d secrets are kept", n)
	}
}

func TestTokensStay(t *testing.T) {
	k := New(nil)
	left, kept := k.Token([]byte(`{"token":"t0ken","ACCESS_TOKEN":"t0ken","expires_in":300,
		"refresh_token":"r3fresh","issued_at":"now"}`), "https://auth.io/t", "ref")
	if string(left) != `{"expires_in":300,"issued_at":"now"}` || kept.Unread != "" {
		t.Errorf("%s %+v", left, kept)
	}
	if v, ok := k.Value(kept.Token); !ok || v != "t0ken" {
		t.Errorf("%s is %q %v", kept.Token, v, ok)
	}
	_, again := k.Token([]byte(`{"access_token":"t1"}`), "https://auth.io/t", "ref")
	if v, _ := k.Value(kept.Token); again.Token != kept.Token || v != "t1" {
		t.Errorf("a newer token of the same request: %q is %q", again.Token, v)
	}
	_, other := k.Token([]byte(`{"token":"t2"}`), "https://auth.io/u", "ref")
	if other.Token == kept.Token {
		t.Error("another request has the same reference")
	}
	for _, bad := range []string{`{}`, `[]`, `{"token":""}`, `{"token":7}`, `{"token":"a\nb"}`,
		"sesame"} {
		if left, kept := k.Token([]byte(bad)); kept.Unread == "" || kept.Token != "" || len(left) > 0 {
			t.Errorf("%s: %q %+v", bad, left, kept)
		}
	}
	if left, _ := k.Token([]byte(`{"token":"twice","echo":"twice"}`)); len(left) > 0 {
		t.Errorf("%s is left", left)
	}
	for n := range 2 * maxTokens {
		k.Token([]byte(`{"token":"t"}`), fmt.Sprint(n))
	}
	if len(k.values) != maxTokens || len(k.tokens) != maxTokens {
		t.Errorf("%d tokens are kept", len(k.values))
	}
}
