package secret

import (
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Strip takes every secret in the clear out of a configuration, or of a message that holds one, and
// puts in its place what keep returns for it. place is "config:<uuid>:<field>": the innermost
// object with a UUID around the secret, and its field in lower case without "_". An empty secret
// stays empty; of a URL only what stands before the "@" is taken. Fields that the API does not
// know are removed: nobody can tell what is in them.
//
// The order of calls is that of the fields in the API, of elements in their lists.
func Strip(msg proto.Message, keep func(place, value string) (ref string)) {
	s := stripper{keep}
	s.message(msg.ProtoReflect(), "device")
}

type stripper struct {
	keep func(place, value string) string
}

func (s stripper) message(m protoreflect.Message, owner string) {
	if len(m.GetUnknown()) > 0 {
		m.SetUnknown(nil)
	}
	owner = ownID(m, owner)
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		kind := fd.Kind()
		text := kind == protoreflect.StringKind || kind == protoreflect.BytesKind
		nested := kind == protoreflect.MessageKind || kind == protoreflect.GroupKind
		switch {
		case !text && !nested || fd.IsMap() || !m.Has(fd):
		case fd.IsList():
			list := m.Mutable(fd).List()
			for n := range list.Len() {
				if nested {
					s.message(list.Get(n).Message(), owner)
				} else if v, changed := s.field(fd, list.Get(n), owner); changed {
					list.Set(n, v)
				}
			}
		case nested:
			s.message(m.Get(fd).Message(), owner)
		default:
			if v, changed := s.field(fd, m.Get(fd), owner); changed {
				m.Set(fd, v)
			}
		}
	}
}

// field is what a text becomes.
func (s stripper) field(fd protoreflect.FieldDescriptor, v protoreflect.Value, owner string) (
	protoreflect.Value, bool,
) {
	kind := classes[fd.FullName()]
	if kind == harmless {
		return v, false
	}
	text := ""
	if fd.Kind() == protoreflect.BytesKind {
		text = string(v.Bytes())
	} else {
		text = v.String()
	}
	if text == "" {
		return v, false
	}
	place := fromConfig + owner + ":" +
		strings.ToLower(strings.ReplaceAll(string(fd.Name()), "_", ""))
	switch kind {
	case login:
		from, to, ok := cutLogin(text)
		if !ok {
			return v, false
		}
		text = text[:from] + s.keep(place, text[from:to]) + text[to:]
	case userData:
		ref := s.keep(place, text)
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			ref += malformed
		}
		text = ref
	default:
		text = s.keep(place, text)
	}
	if fd.Kind() == protoreflect.BytesKind {
		return protoreflect.ValueOfBytes([]byte(text)), true
	}
	return protoreflect.ValueOfString(text), true
}

// ownID is the UUID of an object, that of the object around it if it has none of its own.
func ownID(m protoreflect.Message, owner string) string {
	fields := m.Descriptor().Fields()
	for _, name := range [...]protoreflect.Name{"id", "uuid", "uuidandversion"} {
		fd := fields.ByName(name)
		if fd == nil || fd.IsList() || !m.Has(fd) {
			continue
		}
		text := ""
		switch fd.Kind() {
		case protoreflect.StringKind:
			text = m.Get(fd).String()
		case protoreflect.MessageKind:
			return ownID(m.Get(fd).Message(), owner)
		default:
			continue
		}
		if u, err := uuid.Parse(text); err == nil {
			return u.String()
		}
	}
	return owner
}
