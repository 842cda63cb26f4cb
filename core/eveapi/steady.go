package eveapi

import "strings"

// steady is an error of the protobuf library with a text that is the same in every build. The
// library spaces its texts as a checksum of the program decides: with a space that may break, with
// one that may not (U+00A0), or with two. Texts become rows, and a trace must not depend on a
// build.
func steady(err error) error {
	if err == nil {
		return nil
	}
	return &steadyError{steadyText(err.Error()), err}
}

// steadyText has one space wherever there is any number of them, of either kind.
func steadyText(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return r == ' ' || r == '\u00a0'
	}), " ")
}

// steadyError is an error with another text.
type steadyError struct {
	text string
	err  error
}

// Error is the text.
func (e *steadyError) Error() string { return e.text }

// Unwrap is the error as the library has it.
func (e *steadyError) Unwrap() error { return e.err }
