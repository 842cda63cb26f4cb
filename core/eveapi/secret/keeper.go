package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
)

// What a Keeper remembers at most.
const (
	// maxSeen is how many configurations that came are kept until they are known to be in force.
	maxSeen = 4
	// maxHeld is how many configurations are kept that were saved, or were on the disk.
	maxHeld = 4
	// maxTokens is how many tokens are kept.
	maxTokens = 256
)

// Keeper knows what references stand for. It is for the loop of one device.
type Keeper struct {
	key    []byte
	values map[string]*value   // by reference
	seen   []*document         // newest last
	held   []*document         // newest last
	tokens []string            // their references, oldest first
	made   map[string]string   // secrets by reference
	order  map[Origin][]string // those references, oldest first
	// lasting are references that may outlive the boot, oldest first.
	lasting []string
}

// value is a secret; uses counts the documents that have it.
type value struct {
	text string
	uses int
}

// document is a configuration as it came.
type document struct {
	sha  string
	body []byte
	refs []string
}

// New makes an empty keeper. The key is a secret of the device and the same in all its boots, so
// that references stay what they are: device ports outlive a reboot, with the logins of proxies.
func New(key []byte) *Keeper {
	return &Keeper{key: key, values: map[string]*value{}, made: map[string]string{},
		order: map[Origin][]string{}}
}

// Value is what a reference of a configuration or of a token stands for, for the server or guest
// that it is meant for; false if nobody knows. Secrets of a TPM are only for Reveal.
func (k *Keeper) Value(ref string) (string, bool) {
	if Malformed(ref) {
		ref = ref[:len(ref)-len(malformed)]
	}
	v := k.values[ref]
	if v == nil {
		return "", false
	}
	return v.text, true
}

// Bytes are the bytes with a SHA-256 in lower-case hex that came and were kept; false if they
// were not, or are forgotten. They must not be changed.
func (k *Keeper) Bytes(sha string) ([]byte, bool) {
	for _, list := range [...][]*document{k.held, k.seen} {
		for _, d := range list {
			if d.sha == sha {
				return d.body, true
			}
		}
	}
	return nil, false
}

// Hold says that bytes that came are in force: they are to be saved. What comes later does not push
// them out of memory, whoever sends it.
func (k *Keeper) Hold(sha string) {
	if i := slices.IndexFunc(k.seen, func(d *document) bool { return d.sha == sha }); i >= 0 {
		d := k.seen[i]
		k.seen = slices.Delete(k.seen, i, i+1)
		k.held = k.add(k.held, d, maxHeld)
		for _, ref := range d.refs {
			if lasts(ref) {
				k.last(ref)
			}
		}
	} else if i := slices.IndexFunc(k.held, func(d *document) bool { return d.sha == sha }); i >= 0 {
		d := k.held[i]
		k.held = append(slices.Delete(k.held, i, i+1), d)
	}
}

// take keeps a document, or knows it already.
func (k *Keeper) take(d *document) {
	for _, list := range [...][]*document{k.held, k.seen} {
		for i, old := range list {
			if old.sha == d.sha {
				k.release(d)
				copy(list[i:], list[i+1:])
				list[len(list)-1] = old
				return
			}
		}
	}
	k.seen = k.add(k.seen, d, maxSeen)
}

// add appends a document; the oldest goes if there are too many.
func (k *Keeper) add(list []*document, d *document, most int) []*document {
	if len(list) == most {
		k.release(list[0])
		list = slices.Delete(list, 0, 1)
	}
	return append(list, d)
}

// release forgets the secrets of a document that no other has.
func (k *Keeper) release(d *document) {
	for _, ref := range d.refs {
		k.drop(ref)
	}
}

// keep gives a secret of a document its reference.
func (k *Keeper) keep(d *document, place, text string) string {
	for n := 0; ; n++ {
		ref := place + ":" + k.tag(place, text, n)
		v := k.values[ref]
		if v != nil && v.text != text {
			continue // another value has this tag
		}
		if v == nil {
			v = &value{text: text}
			k.values[ref] = v
		}
		v.uses++
		d.refs = append(d.refs, ref)
		return ref
	}
}

// tag is a short hash under the device's key. It is drawn anew, n-th, where another value has it.
func (k *Keeper) tag(place, text string, n int) string {
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte(strconv.Itoa(n) + "\x00" + place + "\x00" + text))
	return hex.EncodeToString(mac.Sum(nil)[:2])
}

// putToken keeps a token; a newer one of the same request takes its place.
func (k *Keeper) putToken(ref, token string) {
	if i := slices.Index(k.tokens, ref); i >= 0 {
		k.tokens = slices.Delete(k.tokens, i, i+1)
	} else if len(k.tokens) == maxTokens {
		delete(k.values, k.tokens[0])
		k.tokens = slices.Delete(k.tokens, 0, 1)
	}
	k.tokens = append(k.tokens, ref)
	k.values[ref] = &value{text: token, uses: 1}
}
