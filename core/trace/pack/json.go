package pack

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// JSON is the value as JSON, as package encoding/json writes the Go type; what JSON does not have,
// a NaN or a text that is no UTF-8, is written as near as it gets. No value is null.
func (v Value) JSON() []byte {
	if v.typ == nil {
		return []byte("null")
	}
	return v.typ.json(nil, v.v)
}

func (t *Type) json(b []byte, v any) []byte {
	switch t.kind {
	case kBool:
		return strconv.AppendBool(b, v.(uint64) != 0)
	case kUint:
		return strconv.AppendUint(b, v.(uint64), 10)
	case kInt, kLong:
		return strconv.AppendInt(b, v.(int64), 10)
	case kFloat:
		return floatJSON(b, math.Float64frombits(v.(uint64)), 64)
	case kFloat32:
		return floatJSON(b, float64(math.Float32frombits(v.(uint32))), 32)
	case kTime:
		return strconv.AppendQuote(b, v.(time.Time).Format(time.RFC3339Nano))
	case kPointer:
		if p := v.(pointer); p.set {
			return t.elem.json(b, p.to)
		}
		return append(b, "null"...)
	case kStruct:
		leaves := v.([]any)
		b = append(b, '{')
		for i, f := range t.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(strconv.AppendQuote(b, f.name), ':')
			if f.typ.kind == kStruct {
				n := len(f.typ.leaves)
				b = f.typ.json(b, leaves[:n])
				leaves = leaves[n:]
				continue
			}
			b = f.typ.json(b, leaves[0])
			leaves = leaves[1:]
		}
		return append(b, '}')
	case kOctets:
		b = append(b, '[')
		for i, x := range v.([]byte) {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendUint(b, uint64(x), 10)
		}
		return append(b, ']')
	case kSlice, kArray:
		list := v.([]any)
		if list == nil {
			return append(b, "null"...)
		}
		b = append(b, '[')
		for i, x := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = t.elem.json(b, x)
		}
		return append(b, ']')
	}
	return plainJSON(b, v)
}

// plainJSON writes what package json writes by itself.
func plainJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		text, err = json.Marshal(fmt.Sprint(v))
		if err != nil {
			panic("pack: encode a text: " + err.Error())
		}
	}
	return append(b, text...)
}

func floatJSON(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendQuote(b, strconv.FormatFloat(f, 'g', -1, bits))
	}
	if bits == 32 {
		return plainJSON(b, float32(f))
	}
	return plainJSON(b, f)
}
