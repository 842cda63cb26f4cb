package domxml

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// Namespace and prefix of the note, for calls that change it in a domain that exists.
const (
	Namespace = "https://github.com/evetwin/evetwin/domain"
	Prefix    = "evetwin"
)

// noteElement is the note's element without its prefix.
const noteElement = "note"

// wrap puts a note into an element. Base64 keeps libvirt from changing white space in it.
func wrap(note []byte) string {
	return fmt.Sprintf(`<%[1]s:%[2]s xmlns:%[1]s="%[3]s">%[4]s</%[1]s:%[2]s>`,
		Prefix, noteElement, Namespace, base64.StdEncoding.EncodeToString(note))
}

// NoteElement is a note as libvirt's call for changing metadata takes it, which adds the prefix
// itself.
func NoteElement(note []byte) string {
	return fmt.Sprintf(`<%[1]s>%[2]s</%[1]s>`, noteElement, base64.StdEncoding.EncodeToString(note))
}

// Note is what stands in the metadata of a domain's description; nil if it is none of ours.
func Note(description string) ([]byte, error) {
	var d libvirtxml.Domain
	if err := d.Unmarshal(description); err != nil {
		return nil, fmt.Errorf("read the description of a domain: %w", err)
	}
	if d.Metadata == nil {
		return nil, nil
	}
	dec := xml.NewDecoder(strings.NewReader("<m>" + d.Metadata.XML + "</m>"))
	for {
		t, err := dec.Token()
		if err != nil {
			return nil, nil // its end: there is no note
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != noteElement || start.Name.Space != Namespace {
			continue
		}
		var text string
		if err := dec.DecodeElement(&text, &start); err != nil {
			return nil, fmt.Errorf("read the note of domain %s: %w", d.Name, err)
		}
		note, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("read the note of domain %s: %w", d.Name, err)
		}
		return note, nil
	}
}
