package eveapi_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/evecommon"
	"google.golang.org/protobuf/proto"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vector was computed with sha256sum and openssl enc -aes-256-cfb. X begins with a zero byte,
// which big-number code drops: the key must come out the same.
func TestAPI31_DecryptionVector(t *testing.T) {
	x := unhex(t, "aa0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e")
	y := unhex(t, "1102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1ff0")
	key, err := eveapi.ObjectKey(x, y)
	if err != nil {
		t.Fatal(err)
	}
	want := "8aa32b65de8af1e3948beb0ec9f06108f9ebabe8d596a23112757c093e12e875"
	if got := hex.EncodeToString(key[:]); got != want {
		t.Fatalf("key %s, want %s", got, want)
	}
	padded, err := eveapi.ObjectKey(append([]byte{0}, x...), y)
	if err != nil || padded != key {
		t.Errorf("the padded coordinate gives another key (%v)", err)
	}
	ctx := &evecommon.CipherContext{
		KeyExchangeScheme: evecommon.KeyExchangeScheme_KEA_ECDH,
		EncryptionScheme:  evecommon.EncryptionScheme_SA_AES_256_CFB,
	}
	block := &evecommon.CipherBlock{
		CipherContextId: "ctx",
		InitialValue:    unhex(t, "000102030405060708090a0b0c0d0e0f"),
		CipherData: unhex(t,
			"4e9da42851b74df24e94314b1dd9bf0a2ebb06af55c8393406f1999ecb7743067609a4"),
		ClearTextSha256: unhex(t,
			"e3d8c1adaf7ccb50f469ab51068ac8efa9bcd3d1aae819a5807823ea5db6b3eb"),
	}
	clear := "eve edge device: datastore password"
	if got, err := eveapi.DecryptObject(ctx, block, key); err != nil || string(got) != clear {
		t.Fatalf("got %q, %v", got, err)
	}
	again, err := eveapi.EncryptObject("ctx", []byte(clear), key, block.GetInitialValue())
	if err != nil || !proto.Equal(again, block) {
		t.Errorf("encrypting gives %v, %v", again, err)
	}
	checkDamage(t, ctx, block, key)
}

// checkDamage opens damaged versions of a good block.
func checkDamage(t *testing.T, ctx *evecommon.CipherContext, block *evecommon.CipherBlock,
	key [32]byte,
) {
	t.Helper()
	for name, c := range map[string]struct {
		damage func(*evecommon.CipherContext, *evecommon.CipherBlock)
		want   error
	}{
		"digest of another text": {func(_ *evecommon.CipherContext, b *evecommon.CipherBlock) {
			b.ClearTextSha256[0] ^= 1
		}, eveapi.ErrCipherDigest},
		"short digest": {func(_ *evecommon.CipherContext, b *evecommon.CipherBlock) {
			b.ClearTextSha256 = b.ClearTextSha256[:16]
		}, eveapi.ErrCipherDigest},
		"flipped ciphertext": {func(_ *evecommon.CipherContext, b *evecommon.CipherBlock) {
			b.CipherData[3] ^= 1
		}, eveapi.ErrCipherDigest},
		"no ciphertext": {func(_ *evecommon.CipherContext, b *evecommon.CipherBlock) {
			b.CipherData = nil
		}, eveapi.ErrCipherNoData},
		"no digest": {func(_ *evecommon.CipherContext, b *evecommon.CipherBlock) {
			b.ClearTextSha256 = nil
		}, eveapi.ErrCipherNoData},
		"no scheme": {func(c *evecommon.CipherContext, _ *evecommon.CipherBlock) {
			c.EncryptionScheme = 0
		}, eveapi.ErrCipherScheme},
	} {
		badCtx, bad := proto.CloneOf(ctx), proto.CloneOf(block)
		c.damage(badCtx, bad)
		if got, err := eveapi.DecryptObject(badCtx, bad, key); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %q, %v, want %v", name, got, err, c.want)
		}
	}
	short := proto.CloneOf(block)
	short.InitialValue = short.InitialValue[:8]
	if _, err := eveapi.DecryptObject(ctx, short, key); err == nil {
		t.Errorf("an initial value of 8 bytes is accepted")
	}
	if _, err := eveapi.ObjectKey(bytes.Repeat([]byte{1}, 33), nil); err == nil {
		t.Errorf("a coordinate of 33 bytes is accepted")
	}
}
