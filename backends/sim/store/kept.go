package store

import (
	"slices"

	"github.com/evetwin/evetwin/backends/kept"
	"github.com/evetwin/evetwin/backends/sim/disk"
	device "github.com/evetwin/evetwin/core/device/store"
)

// learn takes the secrets of the configurations on the disk, as a boot finds them: references that
// outlived it are known before any agent has read a file.
func (s *Store) learn() {
	s.Keeper.Recall(s.Disk.Secrets)
	for _, path := range kept.Configurations {
		if f, ok := s.Disk.Files[path]; ok && len(f.Data) > 0 {
			s.content(path, f.Data)
		}
	}
}

// content is what an agent is handed of a file.
func (s *Store) content(path string, data []byte) (out device.ReadRes) {
	out = kept.Read(s.Keeper, path, data)
	if out.Kept != nil {
		s.hold(out.Kept.Sha256)
	}
	return out
}

// hold says that a configuration is in force; what has to outlive it becomes durable.
func (s *Store) hold(sha string) {
	s.Keeper.Hold(sha)
	if list := s.Keeper.Lasting(); !slices.Equal(list, s.Disk.Secrets) {
		s.Disk.Secrets = list
	}
}

// meant is what a write is to put into a file; false if nobody has it.
func (s *Store) meant(q *device.WriteReq) ([]byte, bool) {
	if q.Kept == "" {
		return q.Data, true
	}
	if data, ok := s.Keeper.Bytes(q.Kept); ok {
		s.hold(q.Kept)
		return data, true
	}
	for _, path := range disk.Keys(s.Disk.Files) {
		if f := s.Disk.Files[path]; f.Sha == q.Kept && !device.Private(path) {
			return f.Data, true
		}
	}
	return nil, false
}
