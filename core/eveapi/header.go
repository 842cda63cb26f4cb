package eveapi

import "strings"

// ContentType is the media type of every body of the API.
const ContentType = "application/x-proto-binary"

// Names of the headers of the API, in HTTP's canonical form.
const (
	// HeaderContentType states the media type of a body.
	HeaderContentType = "Content-Type"
	// HeaderRequestID names one attempt; controllers treat it as opaque.
	HeaderRequestID = "X-Request-Id"
	// HeaderSerial is the product serial of a device without a UUID.
	HeaderSerial = "X-Serial-Number"
	// HeaderSoftSerial is the soft serial of a device without a UUID.
	HeaderSoftSerial = "X-Soft-Serial"
)

// Header is one header line.
type Header struct {
	// Name is the name in HTTP's canonical form.
	Name string
	// Value is the value, without line breaks.
	Value string
}

// Sender is what the headers tell of a device.
type Sender struct {
	// RequestID is a fresh UUID of version 4 for each attempt, made by the caller.
	RequestID string
	// Onboarded is true once the device knows its UUID; from then on the serials are left out.
	Onboarded bool
	// Serial is the product serial, SoftSerial the one of /config/soft_serial; either may be empty.
	Serial, SoftSerial string
}

// RequestHeaders are the headers of a request, in a fixed order; post adds the content type.
func RequestHeaders(s Sender, post bool) []Header {
	h := make([]Header, 0, 4)
	if post {
		h = append(h, Header{HeaderContentType, ContentType})
	}
	h = append(h, Header{HeaderRequestID, s.RequestID})
	if s.Onboarded {
		return h
	}
	if s.Serial != "" {
		h = append(h, Header{HeaderSerial, s.Serial})
	}
	if s.SoftSerial != "" {
		h = append(h, Header{HeaderSoftSerial, s.SoftSerial})
	}
	return h
}

// IsProto tells whether the value of a Content-Type header is the API's media type, parameters
// aside. Any answer with a body must have it; an answer without a body needs none.
func IsProto(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), ContentType)
}
