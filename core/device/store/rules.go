package store

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// ConfigDir is where the device's inputs lie; no agent writes there.
const ConfigDir = "/config"

// statusDir is where status files lie. The directories in it are those of agents, with copies of
// the rows of their persistent topics.
const statusDir = "/persist/status"

// Directories returns the directories whose files, at any depth but for Copies, are small files.
func Directories() []string {
	return []string{ConfigDir, "/persist/checkpoint", "/persist/ingested", statusDir}
}

// Copies reports whether a directory holds copies of rows: what is in it is no small file.
func Copies(dir string) bool { return path.Dir(dir) == statusDir }

// ServerFile is the file that names the controller.
const ServerFile = ConfigDir + "/server"

// maxServer bounds the name of a controller, in bytes.
const maxServer = 255

// IsServer reports whether a text can name a controller: "host" or "host:port".
func IsServer(text string) bool {
	host, port, found := strings.Cut(text, ":")
	if len(text) > maxServer || host == "" || strings.Trim(strings.ToLower(host), hostLetters) != "" {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return !found || err == nil && n > 0
}

// hostLetters are what names and IPv4 addresses of hosts are made of.
const hostLetters = "abcdefghijklmnopqrstuvwxyz0123456789-."

// Listed reports whether a path is that of a small file: clean, below one of the Directories, and
// no copy of a row.
func Listed(file string) bool {
	if strings.HasPrefix(file, statusDir+"/") && path.Dir(file) != statusDir {
		return false
	}
	return path.Clean(file) == file && slices.ContainsFunc(Directories(), func(dir string) bool {
		return strings.HasPrefix(file, dir+"/")
	})
}

// Writable reports whether agents may write and remove the file at a path.
func Writable(file string) bool {
	return Listed(file) && !strings.HasPrefix(file, ConfigDir+"/")
}

// Private reports whether a file's content never leaves the disk.
func Private(file string) bool {
	return strings.HasSuffix(file, ".key.pem") || strings.HasSuffix(file, "/tpm_credential")
}

// IsSha256 reports whether a text is a SHA-256 as rows and requests have it: 64 digits of
// lower-case hex. Blobs are files of that name.
func IsSha256(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// Container is the format of a volume that is a root directory, unpacked from layers.
const Container = "container"

// Formats returns the formats that volumes can have. "iso" is as raw, and never grows.
func Formats() []string {
	return []string{"raw", "qcow2", "qcow", "vmdk", "vhdx", "vhd", "iso", Container}
}

// maxVolumeKey bounds the name of a volume, which is that of a file.
const maxVolumeKey = 200

// Refusal says why no volume can be what a request wants; empty if one can. A request that is
// refused for its format has FaultFormat, others have FaultRefused.
func (q *CreateVolumeReq) Refusal() (code, why string) {
	switch {
	case !IsVolumeKey(q.VolumeKey):
		return FaultRefused, "no key of a volume"
	case !slices.Contains(Formats(), q.Format):
		return FaultFormat, "no volume has the format " + q.Format
	case q.Size < 0 || q.Size > MaxVolume:
		return FaultRefused, "no volume has such a size"
	case q.Format == Container && len(q.Blobs) == 0:
		return FaultRefused, "a container is made of an image"
	case len(q.Blobs) == 0 && q.Size == 0:
		return FaultRefused, "a blank volume needs a size"
	case q.Format != Container && len(q.Blobs) > 1:
		return FaultRefused, "a disk is made of one blob"
	}
	return "", ""
}

// IsVolumeKey reports whether a text can be the key of a volume: its file has that name.
func IsVolumeKey(text string) bool {
	return text != "" && len(text) <= maxVolumeKey && text[0] != '.' &&
		!strings.ContainsAny(text, "/\x00")
}

// MaxVolume bounds the virtual size of a volume, in bytes.
const MaxVolume = 64 << 40
