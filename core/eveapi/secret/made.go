package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Origin says how a part came to a secret that stands in no configuration. It is the beginning of
// the secret's references.
type Origin string

// Origins of secrets, all of a TPM.
const (
	Sealed     Origin = "sealed"     // what it kept, bound to what was measured
	Agreed     Origin = "agreed"     // a point that its key and another's have in common
	Credential Origin = "credential" // what was encrypted to its keys
)

// maxMade is how many secrets of each origin are kept, those that were made last.
const maxMade = 32

// madeDigits is how long a reference of such a secret is behind its origin.
const madeDigits = 32

// Made keeps a secret that a part came to and returns its reference, "<origin>:<tag>". One that is
// made again has the reference it had, in any boot, and is the newest; the oldest of its origin is
// forgotten if there are too many. Whoever misses it has it made again.
//
// The tag is a hash of 128 bits under the device's key: a reference that outlives its secret is
// never that of another. Such secrets are drawn by chance, so that there is nothing to guess.
func (k *Keeper) Made(from Origin, text []byte) (ref string) {
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte("made\x00" + string(from) + "\x00"))
	mac.Write(text)
	ref = string(from) + ":" + hex.EncodeToString(mac.Sum(nil)[:madeDigits/2])
	list := k.order[from]
	if i := slices.Index(list, ref); i >= 0 {
		list = slices.Delete(list, i, i+1)
	} else if len(list) == maxMade {
		delete(k.made, list[0])
		list = slices.Delete(list, 0, 1)
	}
	k.order[from] = append(list, ref)
	k.made[ref] = string(text)
	return ref
}

// Reveal is what any reference stands for; false if nobody knows. It is for parts that keep it to
// themselves: what a TPM unsealed is told to no server and to no guest, whoever names it to them.
func (k *Keeper) Reveal(ref string) (string, bool) {
	if text, ok := k.made[ref]; ok {
		return text, true
	}
	return k.Value(ref)
}

// OfModule reports whether a reference is of a secret that Made keeps.
func OfModule(ref string) bool {
	from, tag, found := strings.Cut(ref, ":")
	if !found || len(tag) != madeDigits {
		return false
	}
	_, err := hex.DecodeString(tag)
	return err == nil && placeOf(Origin(from)) != ""
}

// placeOf says for people what a secret of an origin is; empty for what is none.
func placeOf(from Origin) string {
	switch from {
	case Sealed:
		return "sealed secret"
	case Agreed:
		return "secret that was agreed on"
	case Credential:
		return "activated credential"
	}
	return ""
}
