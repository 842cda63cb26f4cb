package eveapi

import (
	"errors"
	"fmt"
)

// Code classes what is wrong with something received, as the LED, the retries and the certificate
// fetch of a device depend on it.
type Code uint8

// The codes of a Fault. The first four carry EVE's names for the states of a sender.
const (
	// CertMiss: the envelope names a certificate that is not among the trusted ones. The certificate
	// list is to be fetched again.
	CertMiss Code = iota + 1
	// SignVerifyFail: the signature does not belong to the payload and the named certificate.
	SignVerifyFail
	// AlgoFail: the hash algorithm of the envelope is not one of the two known ones.
	AlgoFail
	// HashSizeError: the certificate hash is neither 16 nor 32 bytes long, or not the length that
	// the algorithm states.
	HashSizeError
	// Malformed: the bytes are not the message they should be.
	Malformed
	// TooLarge: the bytes exceed MaxEnvelope, or hold more than MaxObjects messages.
	TooLarge
	// CertSet: the certificate list breaks a rule as a whole: signing certificates other than one,
	// no ECDH certificate, an unknown type.
	CertSet
	// CertInvalid: a certificate is expired, not yet valid, or unusable for its purpose.
	CertInvalid
	// CertUnknownAuthority: a certificate does not chain to a root.
	CertUnknownAuthority
)

var codeNames = [...]string{
	CertMiss:             "CertMiss",
	SignVerifyFail:       "SignVerifyFail",
	AlgoFail:             "AlgoFail",
	HashSizeError:        "HashSizeError",
	Malformed:            "Malformed",
	TooLarge:             "TooLarge",
	CertSet:              "CertSet",
	CertInvalid:          "CertInvalid",
	CertUnknownAuthority: "CertUnknownAuthority",
}

// String is the code's name, "Code(n)" for an unknown one.
func (c Code) String() string {
	if int(c) < len(codeNames) && codeNames[c] != "" {
		return codeNames[c]
	}
	return fmt.Sprintf("Code(%d)", uint8(c))
}

// Fault says why something received is refused. A nil *Fault is success; do not assign the
// result of a function that returns *Fault to a variable of type error before comparing it with
// nil.
type Fault struct {
	// Code is the class of the refusal.
	Code Code
	// Text says what was wrong, for a person, in one line.
	Text string
}

// Error joins code and text.
func (f *Fault) Error() string { return f.Code.String() + ": " + f.Text }

func faultf(code Code, format string, args ...any) *Fault {
	return &Fault{Code: code, Text: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of the Fault in err's chain, 0 if there is none.
func CodeOf(err error) Code {
	var f *Fault
	if errors.As(err, &f) && f != nil {
		return f.Code
	}
	return 0
}
