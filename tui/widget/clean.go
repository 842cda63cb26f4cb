package widget

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// wrong stands for what a terminal must not get: control characters, broken UTF-8, signs that
	// turn the direction of writing or show nothing, and signs whose width is anybody's guess.
	wrong = '·'
	// maxMarks bounds the marks over and under one letter.
	maxMarks = 2
)

// Clean makes text fit for a cell of a terminal: one line, no control characters, nothing that
// moves the cursor, changes colours, or has another width than it seems.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := maxMarks // nothing to stand on at the beginning
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == utf8.RuneError && n <= 1:
			r = wrong
		case r == '\n' || r == '\r' || r == '\t' || unicode.Is(unicode.Zs, r):
			r = ' '
		case r >= 0x1F1E6 && r <= 0x1F1FF: // letters of flags, wide in pairs only
			r = r - 0x1F1E6 + 'A'
		case isVague(r):
			continue
		case isMark(r):
			if marks++; marks > maxMarks {
				continue
			}
			b.WriteRune(r)
			continue
		case !unicode.IsPrint(r), isPrefix(r):
			r = wrong
		}
		marks = 0
		if r == wrong || r == ' ' {
			marks = maxMarks
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isVague reports what makes another sign wider on some terminals only: selectors of variants and
// colours of skin.
func isVague(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF ||
		r >= 0x1F3FB && r <= 0x1F3FF
}

// isMark reports what joins the letter before it. Besides marks these are vowels of Thai and Lao,
// and the inner and last letters of a Hangul syllable that is written in pieces.
func isMark(r rune) bool {
	switch {
	case r == 0x0E33, r == 0x0EB3, r == 0xFF9E, r == 0xFF9F:
		return true
	}
	return unicode.Is(unicode.M, r) || r >= 0x1160 && r <= 0x11FF || r >= 0xD7B0 && r <= 0xD7FF
}

// isPrefix reports the few letters that join what comes after them, which may be a border.
func isPrefix(r rune) bool {
	switch r {
	case 0x0D4E, 0x111C2, 0x111C3, 0x113D1, 0x1193F, 0x11941, 0x11A3A, 0x11D46, 0x11F02:
		return true
	}
	return r >= 0x11A84 && r <= 0x11A89
}

// isClean is the common case.
func isClean(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
