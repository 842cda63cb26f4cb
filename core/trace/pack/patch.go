package pack

import (
	"encoding/binary"
	"math/bits"
)

// A patch makes bytes out of older ones: how many to copy, how many new ones follow, those, how
// many of the old to pass over, and again until the length is reached.

const (
	// patchMatch is how many bytes must agree for a patch to go on copying.
	patchMatch = 4
	// patchReach is how far apart the places are at which a patch looks for that.
	patchReach = 24
	// patchSame is up to which distance both are first looked at alike: a time in nanoseconds has
	// five bytes that change.
	patchSame = 5
)

// appendPatch appends the patch from old to b.
func appendPatch(out []byte, old, b string) []byte {
	i, j := 0, 0
	for {
		n := agree(old[i:], b[j:])
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

// agree is how many bytes two texts have in common before they differ.
func agree(a, b string) (n int) {
	m := min(len(a), len(b))
	for ; n+8 <= m; n += 8 {
		if x := long(a[n:]) ^ long(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < m && a[n] == b[n] {
		n++
	}
	return n
}

// rejoin finds the nearest place where old and b agree again.
func rejoin(old, b string) (skip, add int) {
	// What both have at the same distance comes first: most often a number has changed and is as
	// long as before.
	n := min(len(old), len(b), patchReach+patchMatch) - patchMatch
	for far := 1; far <= min(n, patchSame); far++ {
		if word(old[far:]) == word(b[far:]) {
			return far, far
		}
	}
	for far := 1; far <= patchReach; far++ {
		if far > patchSame && far <= n && word(old[far:]) == word(b[far:]) {
			return far, far
		}
		here := far+patchMatch <= len(b)
		there := far+patchMatch <= len(old)
		for short := max(far-3, 0); short < far; short++ {
			if here && short+patchMatch <= len(old) && word(old[short:]) == word(b[far:]) {
				return short, far
			}
			if there && short+patchMatch <= len(b) && word(old[far:]) == word(b[short:]) {
				return far, short
			}
		}
	}
	return 0, len(b)
}

// word is the first patchMatch bytes as a number, long the first eight.
func word(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func long(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
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
