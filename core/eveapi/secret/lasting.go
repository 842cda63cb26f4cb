package secret

import (
	"slices"
	"strings"
)

// Lasting is a secret that a reference outlives a boot with: rows of device ports do, with the
// logins of their proxies, longer than the configuration that brought them. A device that forgot
// the login of the proxy it falls back to could never be reached again.
type Lasting struct{ Ref, Text string }

// maxLasting is how many such secrets are kept, the newest.
const maxLasting = 32

// lasts reports whether a reference may stand in a row that outlives a boot.
func lasts(ref string) bool {
	parts := strings.Split(ref, ":")
	return len(parts) == 4 && (parts[2] == "server" || parts[2] == "networkproxyurl")
}

// Lasting are the secrets of configurations in force whose references may outlive the boot, the
// newest last. A part makes them durable with the configuration.
func (k *Keeper) Lasting() []Lasting {
	out := make([]Lasting, 0, len(k.lasting))
	for _, ref := range k.lasting {
		out = append(out, Lasting{ref, k.values[ref].text})
	}
	return out
}

// Recall takes what was Lasting in an earlier boot.
func (k *Keeper) Recall(list []Lasting) {
	for _, l := range list {
		if v := k.values[l.Ref]; v == nil {
			k.values[l.Ref] = &value{text: l.Text}
		} else if v.text != l.Text {
			continue
		}
		k.last(l.Ref)
	}
}

// last keeps the secret of a reference until newer ones need its place.
func (k *Keeper) last(ref string) {
	if i := slices.Index(k.lasting, ref); i >= 0 {
		k.lasting = append(slices.Delete(k.lasting, i, i+1), ref)
		return
	}
	if len(k.lasting) == maxLasting {
		k.drop(k.lasting[0])
		k.lasting = slices.Delete(k.lasting, 0, 1)
	}
	k.values[ref].uses++
	k.lasting = append(k.lasting, ref)
}

// drop ends one use of a secret, and forgets it with the last.
func (k *Keeper) drop(ref string) {
	if v := k.values[ref]; v != nil {
		if v.uses--; v.uses == 0 {
			delete(k.values, ref)
		}
	}
}
