// Package store is the simulated part store: small files, blobs and volumes on a simulated disk.
package store

import (
	"time"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Store is the part over a disk.
type Store struct {
	Disk *disk.Disk
	// ZFS says that /persist lies on ZFS, where disks are zvols.
	ZFS bool
	// Quotas says that its file system limits folders.
	Quotas bool
	// Taken is called when a download was verified and is no partial any more.
	Taken func(target string)
	// Removed is called when a volume is removed; may be nil.
	Removed func(volumeKey string)
	// Partition is called with the name of the controller before it is changed; it writes it to where
	// the files of /config are from, if they are not the disk's own. It may be nil.
	Partition func(server string) error
	// Keeper has the device's secrets; nil makes one of its own.
	Keeper *secret.Keeper

	pt      *host.Part
	files   *bus.Pub[device.FileSeen]
	blobs   *bus.Pub[device.BlobSeen]
	volumes *bus.Pub[device.VolumeSeen]
}

// Wire serves the ops of the part and publishes what is on the disk.
func (s *Store) Wire(k *host.Kernel) {
	pt := k.Part("store")
	s.pt = pt
	if s.Keeper == nil {
		s.Keeper = secret.New(nil)
	}
	s.learn()
	s.files = bus.Publish(pt, device.Files)
	s.blobs = bus.Publish(pt, device.Blobs)
	s.volumes = bus.Publish(pt, device.Volumes)
	space := bus.Publish(pt, device.Space)
	for _, p := range disk.Keys(s.Disk.Files) {
		s.showFile(p)
	}
	for _, sha := range disk.Keys(s.Disk.Blobs) {
		s.showBlob(sha)
	}
	for _, key := range disk.Keys(s.Disk.Volumes) {
		s.showVolume(key)
	}
	space.Put(device.SpaceSeen{Total: s.Disk.Total, Reserved: s.Disk.Reserved})
	s.files.Complete()
	s.blobs.Complete()
	s.volumes.Complete()
	space.Complete()
	host.Serve(pt, device.Read, s.read)
	host.Serve(pt, device.Write, s.write)
	host.Serve(pt, device.Remove, s.remove)
	host.Serve(pt, device.SetServer, s.setServer)
	s.serveBlobs(pt)
	s.serveVolumes(pt)
}

// Outside has somebody else change the disk, and publishes what is there then.
func (s *Store) Outside(f func(d *disk.Disk)) {
	s.pt.Do(func() {
		files, blobs := disk.Keys(s.Disk.Files), disk.Keys(s.Disk.Blobs)
		volumes := disk.Keys(s.Disk.Volumes)
		f(s.Disk)
		each(s.showFile, files, disk.Keys(s.Disk.Files))
		each(s.showBlob, blobs, disk.Keys(s.Disk.Blobs))
		each(s.showVolume, volumes, disk.Keys(s.Disk.Volumes))
	})
}

// each calls show with all keys of two lists.
func each(show func(string), was, is []string) {
	for _, key := range append(was, is...) {
		show(key)
	}
}

func (s *Store) showFile(path string) {
	f, ok := s.Disk.Files[path]
	if !ok {
		s.files.Delete(device.FileKey(path))
		return
	}
	s.files.Put(device.FileSeen{Path: path, Size: int64(len(f.Data)), Sha256: f.Sha})
}

func (s *Store) read(c host.Run[device.ReadReq, device.ReadRes]) {
	c.After(c.Latency(50*time.Microsecond, 2*time.Millisecond), func() {
		q := c.Req()
		f, ok := s.Disk.Files[q.Path]
		switch {
		case device.Private(q.Path):
			c.Fail(device.FaultRefused, "read "+q.Path+": it is a secret", false)
		case !ok:
			c.Fail(device.FaultMissing, "read "+q.Path+": no such file", true)
		case q.Sha256 != "" && q.Sha256 != f.Sha:
			c.Fail(device.FaultChanged, "read "+q.Path+": it has changed", true)
		default:
			c.Done(s.content(q.Path, f.Data))
		}
	})
}

func (s *Store) write(c host.Run[device.WriteReq, device.None]) {
	c.After(c.Latency(time.Millisecond, 20*time.Millisecond), func() {
		q := c.Req()
		data, known := s.meant(q)
		old, had := s.Disk.Files[q.Path]
		same := had && string(old.Data) == string(data)
		backup := q.Backup && !same
		room, keep := int64(len(data)), old.Data // the new content comes beside the old
		switch {
		case same:
			room = 0
		case !had && backup:
			room, keep = 2*room, data
		}
		switch {
		case !known:
			c.Fail(device.FaultMissing, "write "+q.Path+": what is to be in it is not known any more", false)
		case !device.Writable(q.Path) || len(data) > device.MaxFile:
			c.Fail(device.FaultRefused, "write "+q.Path+": outside its directories or too large", false)
		case room > s.Disk.Free():
			c.Fail(device.FaultNoSpace, "write "+q.Path+": no space left on /persist", true)
		default:
			if backup {
				s.Disk.Put(q.Path+".bak", keep)
				s.showFile(q.Path + ".bak")
			}
			s.Disk.Put(q.Path, data)
			s.showFile(q.Path)
			c.Done(device.None{})
		}
	})
}

func (s *Store) remove(c host.Run[device.RemoveReq, device.None]) {
	c.After(c.Latency(time.Millisecond, 10*time.Millisecond), func() {
		p := c.Req().Path
		if !device.Writable(p) {
			c.Fail(device.FaultRefused, "remove "+p+": outside its directories", false)
			return
		}
		delete(s.Disk.Files, p)
		delete(s.Disk.Files, p+".bak")
		s.showFile(p)
		s.showFile(p + ".bak")
		c.Done(device.None{})
	})
}
