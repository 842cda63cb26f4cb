package logspool

import (
	"strconv"
	"strings"
)

// Device is the stream of the device's own lines; other streams are applications, by their UUIDs.
const Device = ""

// Pieces of names.
const (
	devicePrefix = "dev.log.upload."
	appPrefix    = "app."
	appMiddle    = ".log."
)

// Name is the file of a stream that begins at a time in milliseconds since 1970.
func Name(stream string, ms int64) string {
	if stream == Device {
		return devicePrefix + strconv.FormatInt(ms, 10)
	}
	return appPrefix + stream + appMiddle + strconv.FormatInt(ms, 10)
}

// Parse is what a name says; ok is false for a file that is none of the spool's.
func Parse(name string) (stream string, ms int64, ok bool) {
	rest, dev := strings.CutPrefix(name, devicePrefix)
	if !dev {
		var app bool
		if rest, app = strings.CutPrefix(name, appPrefix); !app {
			return "", 0, false
		}
		at := strings.LastIndex(rest, appMiddle)
		if at <= 0 {
			return "", 0, false
		}
		stream, rest = rest[:at], rest[at+len(appMiddle):]
	}
	ms, err := strconv.ParseInt(rest, 10, 64)
	return stream, ms, err == nil && ms >= 0 && Name(stream, ms) == name
}
