package world

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"unicode"
)

// maxFindings limits how many mistakes of one file are told.
const maxFindings = 100

// FieldError is one mistake in a model. Its text is one line.
type FieldError struct {
	File   string // as given to Parse
	Field  string // path, such as ports[2].eveConnect.mac; empty: the file as a whole
	Label  string // logical label of the item that the field belongs to; may be empty
	Reason string
}

// Error is "file: field (label): reason".
func (e *FieldError) Error() string {
	s := plain(e.File)
	if e.Field != "" {
		s += ": " + e.Field
	}
	if e.Label != "" {
		s += " (" + plain(e.Label) + ")"
	}
	return s + ": " + e.Reason
}

// findings collects the mistakes of a file.
type findings struct {
	file string
	errs []error
	more int
	said map[string]bool // fields that have their mistake already
}

// add notes a mistake, the first of each field only: what follows is often its consequence.
func (f *findings) add(field, label, format string, args ...any) {
	if f.said == nil {
		f.said = map[string]bool{}
	}
	if f.said[field] {
		return
	}
	f.said[field] = true
	if len(f.errs) == maxFindings {
		f.more++
		return
	}
	f.errs = append(f.errs, &FieldError{f.file, field, label, fmt.Sprintf(format, args...)})
}

// err joins what was found, one mistake per line; nil if there is none.
func (f *findings) err() error {
	if f.more > 0 {
		last := &FieldError{File: f.file, Reason: fmt.Sprintf("%d more mistakes", f.more)}
		return errors.Join(append(f.errs, last)...)
	}
	return errors.Join(f.errs...)
}

// quoted shows a string of a file in a message: on one line, and not endlessly.
func quoted(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "..."
	}
	return strconv.QuoteToGraphic(s)
}

// plain is s itself where that is harmless, quoted otherwise.
func plain(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return quoted(s)
		}
	}
	if len(s) > 200 {
		return quoted(s)
	}
	return s
}

// index is the path of an item in a list.
func index(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// family names the IP version of an address.
func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
