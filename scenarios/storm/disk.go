package storm

import (
	"github.com/evetwin/evetwin/backends/sim/disk"
)

// fillDisk takes all of the disk but Value KiB.
func fillDisk(s *Storm, a *act) {
	d := s.d.Board.Disk
	a.took = max(0, d.Free()-a.Value<<10)
	d.Other += a.took
}

func emptyDisk(s *Storm, a *act) { s.d.Board.Disk.Other -= a.took }

// sound are the blobs without rot, in order.
func (s *Storm) sound() []string {
	var out []string
	blobs := s.d.Board.Disk.Blobs
	for _, sha := range disk.Keys(blobs) {
		if !blobs[sha].Rotten {
			out = append(out, sha)
		}
	}
	return out
}

func hasBlob(s *Storm, _ *act) bool { return len(s.sound()) > 0 }

func rot(s *Storm, a *act) {
	list := s.sound()
	a.undo = s.d.Board.Disk.Rot(list[uint64(a.Value)%uint64(len(list))])
}
