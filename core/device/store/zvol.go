package store

import (
	"path"
	"strings"
)

// ZvolBlock is the size of a zvol's blocks, in bytes: it has a whole number of them.
const ZvolBlock = 16 << 10

// zvolDir is where devices of zvols are.
const zvolDir = "/dev/zvol"

// keyMark divides the key of a volume, where zvolMark divides the name of its dataset.
const (
	keyMark  = "#"
	zvolMark = "."
)

// Zvol reports whether a volume that is asked for in a format is a zvol where /persist lies on ZFS,
// and seen as "raw" whatever it was made of: all disks are, but those that never grow.
func Zvol(format string) bool { return format != Container && format != "iso" }

// ZvolSize is the size of a zvol that has room for so many bytes.
func ZvolSize(size int64) int64 { return (size + ZvolBlock - 1) / ZvolBlock * ZvolBlock }

// ZvolName is the name of the dataset of a volume; false if none can have its key.
func ZvolName(key string) (string, bool) {
	id, generation, found := strings.Cut(key, keyMark)
	if !found || !plain(id) || !plain(generation) {
		return "", false
	}
	return id + zvolMark + generation, true
}

// ZvolKey is the key of the volume whose dataset has a name; false if none has.
func ZvolKey(name string) (string, bool) {
	id, generation, found := strings.Cut(name, zvolMark)
	if !found || !plain(id) || !plain(generation) {
		return "", false
	}
	return id + keyMark + generation, true
}

// plain reports whether a text is made of what names of datasets and keys may both have.
func plain(text string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	return text != "" && strings.Trim(strings.ToLower(text), letters) == ""
}

// ZvolPath is the device of a dataset.
func ZvolPath(dataset string) string { return path.Join(zvolDir, dataset) }
