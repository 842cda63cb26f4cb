package store

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/sim/disk"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
)

// copyRate is how many bytes a second a volume is made with.
const copyRate = 100 << 20

func (s *Store) showVolume(key string) {
	v, ok := s.Disk.Volumes[key]
	if !ok {
		s.volumes.Delete(key)
		return
	}
	row := device.VolumeSeen{VolumeKey: key, Path: Path(key, v), Format: v.Format, Size: v.Size,
		Used: v.Used, Encrypted: v.Encrypted, Limit: v.Limit}
	if v.Zvol {
		row.Format = "raw"
	}
	s.volumes.Put(row)
}

// Path is where a volume lies, as EVE names volume files and datasets.
func Path(key string, v *disk.Volume) string {
	dir := "/persist/clear/volumes/"
	if v.Encrypted {
		dir = "/persist/vault/volumes/"
	}
	if name, ok := device.ZvolName(key); ok && v.Zvol {
		return device.ZvolPath(dir[1:] + name)
	}
	return dir + key + "." + strings.ToLower(v.Format)
}

func (s *Store) serveVolumes(pt *host.Part) {
	host.Serve(pt, device.CreateVolume, s.create)
	host.Serve(pt, device.RemoveVolume, func(c host.Run[device.VolumeReq, device.None]) {
		c.After(c.Latency(5*time.Millisecond, 50*time.Millisecond), func() {
			delete(s.Disk.Volumes, c.Req().VolumeKey)
			if s.Removed != nil {
				s.Removed(c.Req().VolumeKey)
			}
			s.showVolume(c.Req().VolumeKey)
			c.Done(device.None{})
		})
	})
}

func (s *Store) create(c host.Run[device.CreateVolumeReq, device.None]) {
	q := *c.Req()
	if s.Disk.Volumes[q.VolumeKey] != nil {
		c.Done(device.None{})
		return
	}
	if code, why := q.Refusal(); code != "" {
		c.Fail(code, "create volume "+q.VolumeKey+": "+why, false)
		return
	}
	v := &disk.Volume{Format: q.Format, Size: q.Size, Encrypted: q.Encrypted, Blobs: q.Blobs,
		Zvol: s.ZFS && device.Zvol(q.Format)}
	for _, sha := range q.Blobs {
		b, ok := s.Disk.Blobs[sha]
		if !ok {
			c.Fail(device.FaultMissing, "create volume "+q.VolumeKey+": blob "+sha+" is not here", true)
			return
		}
		v.Used += b.Size
		v.Rotten = v.Rotten || b.Rotten
	}
	if v.Rotten && q.Format == device.Container {
		// Layers are unpacked and must then have the hash that the image's configuration names. A disk
		// image is copied as it is.
		c.After(c.Latency(5*time.Millisecond, 50*time.Millisecond), func() {
			c.Fail(device.FaultCorrupt, "create volume "+q.VolumeKey+
				": unpacked layers do not have the hash they should have", true)
		})
		return
	}
	size, why := s.virtual(&q)
	if why != "" {
		c.After(c.Latency(5*time.Millisecond, 50*time.Millisecond), func() {
			c.Fail(device.FaultFormat, "create volume "+q.VolumeKey+": "+why, false)
		})
		return
	}
	v.Size = size
	if s.Quotas && q.Format == device.Container && q.Size > 0 {
		v.Limit = max(q.Size, v.Used)
	}
	if v.Zvol {
		if _, ok := device.ZvolName(q.VolumeKey); !ok {
			c.Fail(device.FaultRefused, "create volume "+q.VolumeKey+
				": no dataset has the name of such a volume", false)
			return
		}
		v.Size = device.ZvolSize(size)
	}
	took := time.Duration(float64(v.Used) / copyRate * float64(time.Second))
	c.After(took+c.Latency(5*time.Millisecond, 50*time.Millisecond), func() {
		if v.Used > s.Disk.Free() {
			c.Fail(device.FaultNoSpace, "create volume "+q.VolumeKey+": no space left on /persist", true)
			return
		}
		s.Disk.Volumes[q.VolumeKey] = v
		s.showVolume(q.VolumeKey)
		c.Done(device.None{})
	})
}
