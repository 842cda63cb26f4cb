package secret

import "strings"

// Beginnings of references.
const (
	fromConfig = "config:"
	fromToken  = "token:"
)

// malformed ends the reference of user data that is not base64: who is given the reference can
// tell, and need not see the data.
const malformed = ":malformed"

// Is reports whether a text is a reference: of a secret of the configuration, of a token or of a
// secret that a part came to.
func Is(text string) bool {
	return strings.HasPrefix(text, fromToken) || OfModule(text) ||
		strings.HasPrefix(text, fromConfig) && strings.Count(text, ":") >= 3
}

// Malformed reports whether a reference is of data that is not base64 though it should be.
func Malformed(ref string) bool { return Is(ref) && strings.HasSuffix(ref, malformed) }

// Tag is what changes in a reference when the secret does; empty for what is no reference of a
// configuration.
func Tag(ref string) string {
	parts := strings.Split(ref, ":")
	if len(parts) < 4 || parts[0] != "config" {
		return ""
	}
	return parts[3]
}

// Place says for people where the secret of a reference stands, or what it is.
func Place(ref string) string {
	parts := strings.Split(ref, ":")
	switch {
	case len(parts) >= 3 && parts[0] == "config":
		return "field " + parts[2] + " of " + parts[1] + " in the configuration"
	case strings.HasPrefix(ref, fromToken):
		return "token of a registry"
	case OfModule(ref):
		return placeOf(Origin(parts[0]))
	}
	return "reference that nobody gave out"
}

// cutLogin finds user and password in a URL or host: text[from:to] is what stands before the "@".
func cutLogin(text string) (from, to int, ok bool) {
	if i := strings.Index(text, "://"); i >= 0 {
		from = i + len("://")
	}
	end := len(text)
	if i := strings.IndexAny(text[from:], "/?#"); i >= 0 {
		end = from + i
	}
	to = strings.LastIndexByte(text[from:end], '@')
	return from, from + to, to > 0
}
