package eveapi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/lf-edge/eve-api/go/evecommon"
)

// Errors of DecryptObject, which consumers count apart.
var (
	// ErrCipherNoData: the block has no ciphertext or no digest of the clear text.
	ErrCipherNoData = errors.New("cipher block holds no data")
	// ErrCipherScheme: the context asks for something else than ECDH with AES-256-CFB.
	ErrCipherScheme = errors.New("cipher context names an unknown scheme")
	// ErrCipherDigest: what was decrypted has another digest than the block states.
	ErrCipherDigest = errors.New("decrypted text does not match its digest")
)

// ObjectKey derives the AES key of an object from the shared point of the ECDH agreement: SHA-256
// over both coordinates, each padded on the left to 32 bytes. A coordinate longer than that is an
// error.
func ObjectKey(x, y []byte) ([32]byte, error) {
	var point [64]byte
	if len(x) > 32 || len(y) > 32 {
		return [32]byte{}, fmt.Errorf("derive object key: coordinates of %d and %d bytes exceed 32",
			len(x), len(y))
	}
	copy(point[32-len(x):32], x)
	copy(point[64-len(y):], y)
	return sha256.Sum256(point[:]), nil
}

// DecryptObject opens a block with the key of ObjectKey. The result is verified against the block's
// digest of the clear text, which is the only integrity there is.
func DecryptObject(ctx *evecommon.CipherContext, block *evecommon.CipherBlock, key [32]byte) (
	[]byte, error,
) {
	if ctx.GetKeyExchangeScheme() != evecommon.KeyExchangeScheme_KEA_ECDH ||
		ctx.GetEncryptionScheme() != evecommon.EncryptionScheme_SA_AES_256_CFB {
		return nil, fmt.Errorf("%w: key exchange %d, encryption %d", ErrCipherScheme,
			ctx.GetKeyExchangeScheme(), ctx.GetEncryptionScheme())
	}
	if len(block.GetCipherData()) == 0 || len(block.GetClearTextSha256()) == 0 {
		return nil, ErrCipherNoData
	}
	stream, err := objectStream(key, block.GetInitialValue(), false)
	if err != nil {
		return nil, err
	}
	clear := make([]byte, len(block.GetCipherData()))
	stream.XORKeyStream(clear, block.GetCipherData())
	sum := sha256.Sum256(clear)
	if subtle.ConstantTimeCompare(sum[:], block.GetClearTextSha256()) != 1 {
		return nil, ErrCipherDigest
	}
	return clear, nil
}

// EncryptObject makes the block that DecryptObject opens; iv has 16 bytes.
func EncryptObject(contextID string, clear []byte, key [32]byte, iv []byte) (
	*evecommon.CipherBlock, error,
) {
	stream, err := objectStream(key, iv, true)
	if err != nil {
		return nil, err
	}
	data := make([]byte, len(clear))
	stream.XORKeyStream(data, clear)
	sum := sha256.Sum256(clear)
	return &evecommon.CipherBlock{
		CipherContextId: contextID, InitialValue: iv, CipherData: data, ClearTextSha256: sum[:],
	}, nil
}

func objectStream(key [32]byte, iv []byte, encrypt bool) (cipher.Stream, error) {
	if len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("initial value of %d bytes, want %d", len(iv), aes.BlockSize)
	}
	b, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("set up AES-256: %w", err)
	}
	if encrypt {
		return cipher.NewCFBEncrypter(b, iv), nil //nolint:staticcheck // CFB is what the API prescribes
	}
	return cipher.NewCFBDecrypter(b, iv), nil //nolint:staticcheck // CFB is what the API prescribes
}
