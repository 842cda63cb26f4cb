package scenario

import (
	"fmt"
	"strconv"
	"strings"
)

// Seeds reads a seed, "N", or a range of them, "N..M", both ends included.
func Seeds(text string) (from, to uint64, err error) {
	a, b, ranged := strings.Cut(text, "..")
	if from, err = strconv.ParseUint(a, 10, 64); err == nil {
		to = from
		if ranged {
			to, err = strconv.ParseUint(b, 10, 64)
		}
	}
	if err != nil || to < from {
		return 0, 0, fmt.Errorf("%s: a seed is a number, a range is N..M", text)
	}
	return from, to, nil
}
