package parse

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/topics/entity"
)

// Malformed is how the made-up UUID of an object without a usable one begins.
const Malformed = "malformed-"

// readUUID is the canonical form of a UUID, or a made-up one and what is wrong.
func readUUID(s string, index int) (id, wrong string) {
	if u, err := uuid.Parse(s); err == nil && u != uuid.Nil && len(s) == 36 {
		return u.String(), ""
	}
	sum := sha256.Sum256([]byte(strconv.Itoa(index) + "/" + s))
	id = Malformed + hex.EncodeToString(sum[:6])
	if s == "" {
		return id, "it has no UUID"
	}
	return id, "its UUID " + quote(s) + " is malformed"
}

// refUUID is the canonical form of a UUID that refers to another object, or what stands there if it
// is none; ok tells which.
func refUUID(s string) (id string, ok bool) {
	u, err := uuid.Parse(s)
	if err != nil || u == uuid.Nil || len(s) != 36 {
		return clip(s, 60), false
	}
	return u.String(), true
}

// noUUID tells whether a reference is left out.
func noUUID(s string) bool { return s == "" || s == uuid.Nil.String() }

func readIdentity(v *config.UUIDandVersion, index int) (entity.UUIDandVersion, string) {
	id, wrong := readUUID(v.GetUuid(), index)
	return entity.UUIDandVersion{UUID: id, Version: clip(v.GetVersion(), 60)}, wrong
}

// quote makes a text of a configuration fit to be part of an error: short, printable, quoted.
func quote(s string) string { return strconv.QuoteToASCII(clip(s, 60)) }

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}

// wrongs collects what is wrong with an object.
type wrongs []string

func (w *wrongs) add(parts ...string) {
	text := strings.Join(parts, "")
	if text != "" && len(*w) < 20 && !slices.Contains(*w, text) {
		*w = append(*w, text)
	}
}

func (w wrongs) String() string { return strings.Join(w, "; ") }

// unique keeps the last of objects with one key, in the order of their first appearance, and at
// most MaxObjects of them. again is called for one that replaced another; the result says how
// many were dropped for their number.
func unique[V interface{ Key() string }](list []V, again func(*V)) (out []V, dropped int) {
	at := make(map[string]int, len(list))
	out = make([]V, 0, min(len(list), MaxObjects))
	for _, v := range list {
		if i, seen := at[v.Key()]; seen {
			again(&v)
			out[i] = v
		} else if len(out) == MaxObjects {
			dropped++
		} else {
			at[v.Key()] = len(out)
			out = append(out, v)
		}
	}
	return out, dropped
}
