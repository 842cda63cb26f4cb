package pack

import "encoding/binary"

// A patch makes bytes out of older ones: how many to copy, how many new ones follow, those, how
// many of the old to pass over, and again until the length is reached.

const (
	// patchMatch is how many bytes must agree for a patch to go on copying.
	patchMatch = 6
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
	for far := 1; far <= patchReach; far++ {
		if agree(old, b, far, far) {
			return far, far
		}
		for short := far - 1; short >= 0 && short >= far-4; short-- {
			if agree(old, b, short, far) {
				return short, far
			}
			if short > 0 && agree(old, b, far, short) {
				return far, short
			}
		}
	}
	return 0, len(b)
}

func agree(old, b string, i, j int) bool {
	return i+patchMatch <= len(old) && j+patchMatch <= len(b) &&
		old[i:i+patchMatch] == b[j:j+patchMatch]
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
