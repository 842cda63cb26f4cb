package dryrun

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// checkEnums refuses numbers that an enum of the API does not have. A device takes such a
// configuration, and shows an error where it meets the number or takes it for something else;
// whoever asks beforehand wants to be told.
func checkEnums(file string, m protoreflect.Message, path string) error {
	e := enums{file: file}
	e.message(m, path)
	if len(e.wrong) == 0 {
		return nil
	}
	slices.Sort(e.wrong)
	return &Refusal{e.wrong[:min(len(e.wrong), maxLines)]}
}

// enums collects what is wrong in a file.
type enums struct {
	file  string
	wrong []string
}

func (e *enums) message(m protoreflect.Message, path string) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := fd.JSONName()
		if path != "" {
			at = path + "." + at
		}
		switch {
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				e.value(fd.MapValue(), v, at+"."+oneLine(k.String()))
				return true
			})
		case fd.IsList() && (fd.Message() != nil || fd.Enum() != nil):
			for i := range v.List().Len() {
				e.value(fd, v.List().Get(i), fmt.Sprintf("%s[%d]", at, i))
			}
		case !fd.IsList():
			e.value(fd, v, at)
		}
		return true
	})
}

func (e *enums) value(fd protoreflect.FieldDescriptor, v protoreflect.Value, path string) {
	switch {
	case fd.Message() != nil:
		e.message(v.Message(), path)
	case fd.Enum() != nil && fd.Enum().Values().ByNumber(v.Enum()) == nil &&
		len(e.wrong) < 10*maxLines:
		e.wrong = append(e.wrong, fmt.Sprintf("%s: %s: %d is not a value of %s", oneLine(e.file), path,
			v.Enum(), fd.Enum().Name()))
	}
}
