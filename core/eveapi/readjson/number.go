package readjson

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// isLarge tells whether a value is a number that no field of the API can hold.
func isLarge(v value) bool {
	s, ok := digits(v)
	if !ok {
		return false
	}
	f, err := strconv.ParseFloat(s, 64)
	return errors.Is(err, strconv.ErrRange) && math.IsInf(f, 0) || err == nil && math.Abs(f) > 1<<53
}

// wholeNumber reads a number, or text that is one, as protobuf's JSON allows for both.
func wholeNumber(v value) (int64, bool) {
	s, ok := digits(v)
	if !ok {
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64) // "1e3" and "2.0" are whole numbers too
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// largeNumber is wholeNumber for what may exceed 63 bits.
func largeNumber(v value) (uint64, bool) {
	s, ok := digits(v)
	if !ok {
		return 0, false
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return n, true
	}
	n, ok := wholeNumber(v)
	return uint64(n), ok && n >= 0
}

func digits(v value) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return v.String(), true
	case string:
		return v, v != "" && len(v) < 30
	}
	return "", false
}
