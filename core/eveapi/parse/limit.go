package parse

import (
	"reflect"
	"strconv"
)

// Limits of what becomes rows.
const (
	// MaxObjects is how many objects of one kind are taken.
	MaxObjects = 900
	// MaxRow is the size in bytes of one row; an application may have four times as much.
	MaxRow = 56 << 10
)

// weigh is about the size of a value in memory with all that it points to. It gives up beyond max.
func weigh(v any, max int) int {
	return weighValue(reflect.ValueOf(v), max)
}

func weighValue(v reflect.Value, max int) int {
	n := int(v.Type().Size())
	switch v.Kind() {
	case reflect.String:
		return n + v.Len()
	case reflect.Pointer:
		if !v.IsNil() {
			n += weighValue(v.Elem(), max)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return n + v.Len()
		}
		for i := 0; i < v.Len() && n <= max; i++ {
			n += weighValue(v.Index(i), max-n)
		}
	case reflect.Struct:
		for i := 0; i < v.NumField() && n <= max; i++ {
			if f := v.Field(i); v.Type().Field(i).IsExported() {
				n += weighValue(f, max-n) - int(f.Type().Size())
			}
		}
	}
	return n
}

// tooLarge is the error of an object that does not fit its row.
func tooLarge(limit int) string {
	return "it is larger than " + strconv.Itoa(limit>>10) + " KiB"
}

func tooMany(what string, dropped int) string {
	if dropped == 0 {
		return ""
	}
	return strconv.Itoa(dropped) + " " + what + " beyond the limit of " + strconv.Itoa(MaxObjects) +
		" are ignored"
}
