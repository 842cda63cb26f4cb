package store

import (
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/evetwin/evetwin/backends/sim/disk"
	device "github.com/evetwin/evetwin/core/device/store"
)

// magics are how images begin, by format.
var magics = map[string]string{"qcow": "QFI\xfb\x00\x00\x00\x01", "qcow2": "QFI\xfb\x00\x00\x00",
	"vmdk": "KDMV", "vhdx": "vhdxfile"}

// virtual is the size of a volume, or why its content is not what it is said to be. Bytes that were
// made up by the model are what they are said to be.
func (s *Store) virtual(q *device.CreateVolumeReq) (size int64, why string) {
	if len(q.Blobs) == 0 {
		return q.Size, ""
	}
	first := s.Disk.Blobs[q.Blobs[0]]
	if q.Format == device.Container {
		return 0, s.noImage(q)
	}
	size = first.Size
	if genuine(&first) {
		head := string(first.Data[:min(len(first.Data), 104)])
		if !strings.HasPrefix(head, magics[q.Format]) {
			return 0, "it is not an image of the format " + q.Format
		}
		if strings.HasPrefix(q.Format, "qcow") {
			if len(head) < 104 || head[8:16] != strings.Repeat("\x00", 8) {
				return 0, "it refers to another file, or to nothing"
			}
			size = int64(binary.BigEndian.Uint64(first.Data[24:]))
		}
	}
	if q.Format == "iso" {
		return size, ""
	}
	return max(q.Size, size), ""
}

// genuine reports whether the bytes of a content are there and are what they claim to be.
func genuine(c *disk.Content) bool {
	return !c.Modelled && c.Digest == "" && int64(len(c.Data)) == c.Size
}

// noImage says why blobs are no image of a container; empty if they are.
func (s *Store) noImage(q *device.CreateVolumeReq) string {
	for _, sha := range q.Blobs {
		if b := s.Disk.Blobs[sha]; !genuine(&b) {
			return ""
		}
	}
	if len(q.Blobs) < 2 {
		return "an image has a manifest and a configuration"
	}
	var config struct {
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	err := json.Unmarshal(s.Disk.Blobs[q.Blobs[1]].Data, &config)
	if err != nil || len(config.RootFS.DiffIDs) != len(q.Blobs)-2 {
		return "its configuration does not name its layers"
	}
	return ""
}
