package pack

import "encoding/binary"

// A patch makes bytes out of older ones: how many to copy, how many new ones follow, those, how
// many of the old to pass over, and again until the length is reached.

const (
	// patchMatch is how many bytes must agree for a patch to go on copying.
	patchMatch = 4
	// patchReach is how far apart the places are at which a patch looks for that.
	patchReach = 24
)

// appendPatch appends the patch from old to b.
func appendPatch(out []byte, old, b string) []byte {
	i, j := 0, 0
	for {
		n := 0
		for i+n < len(old) && j+n < len(b) && old[i+n] == b[j+n] {
			n++
		}
		out = binary.AppendUvarint(out, uint64(n))
		i, j = i+n, j+n
		if j == len(b) {
			return out
		}
		skip, add := rejoin(old[i:], b[j:])
		out = binary.AppendUvarint(out, uint64(add))
		out = append(out, b[j:j+add]...)
		i, j = i+skip, j+add
		if j == len(b) {
			return out
		}
		out = binary.AppendUvarint(out, uint64(skip))
	}
}

// rejoin finds the nearest place where old and b agree again.
func rejoin(old, b string) (skip, add int) {
	// What both have at the same distance comes first: most often a number has changed and is as
	// long as before.
	n := min(len(old), len(b), patchReach+patchMatch) - patchMatch
	for far := 1; far <= min(n, 3); far++ {
		if word(old[far:]) == word(b[far:]) {
			return far, far
		}
	}
	for far := 1; far <= patchReach; far++ {
		if far > 3 && far <= n && word(old[far:]) == word(b[far:]) {
			return far, far
		}
		for short := max(far-3, 0); short < far; short++ {
			if far+patchMatch <= len(b) && short+patchMatch <= len(old) &&
				word(old[short:]) == word(b[far:]) {
				return short, far
			}
			if far+patchMatch <= len(old) && short+patchMatch <= len(b) &&
				word(old[far:]) == word(b[short:]) {
				return far, short
			}
		}
	}
	return 0, len(b)
}

// word is the first patchMatch bytes as a number.
func word(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// patched undoes appendPatch for n bytes; what does not fit sets bad.
func (d *Decoder) patched(old string, n int) []byte {
	out := make([]byte, 0, min(n, 1<<20))
	take := func(from string) {
		k := d.Number()
		if k > uint64(len(from)) || k > uint64(n-len(out)) {
			d.fail()
			return
		}
		out = append(out, from[:k]...)
	}
	for i := 0; !d.Bad; {
		was := len(out)
		take(old[i:])
		i += len(out) - was
		if len(out) == n {
			break
		}
		add := d.Number()
		if add > uint64(n-len(out)) {
			d.fail()
			break
		}
		out = append(out, d.Bytes(add)...)
		if len(out) == n {
			break
		}
		skip := d.Number()
		if skip > uint64(len(old)-i) {
			d.fail()
			break
		}
		i += int(skip)
		if add == 0 && skip == 0 {
			d.fail() // it would not end
		}
	}
	return out
}
