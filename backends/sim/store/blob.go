package store

import (
	"time"

	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
)

// hashRate is how many bytes a second a device hashes.
const hashRate = 200 << 20

func (s *Store) showBlob(sha string) {
	b, ok := s.Disk.Blobs[sha]
	if !ok {
		s.blobs.Delete(sha)
		return
	}
	s.blobs.Put(device.BlobSeen{Sha256: sha, Size: b.Size})
}

func (s *Store) serveBlobs(pt *host.Part) {
	host.Serve(pt, device.Verify, s.verify)
	host.Serve(pt, device.ReadBlob, func(c host.Run[device.BlobReq, device.BlobRes]) {
		c.After(c.Latency(50*time.Microsecond, 2*time.Millisecond), func() {
			sha := c.Req().Sha256
			b, ok := s.Disk.Blobs[sha]
			switch {
			case !ok:
				c.Fail(device.FaultMissing, "read blob "+sha+": no such blob", true)
			case b.Size > 4<<20 || int64(len(b.Data)) != b.Size:
				c.Fail(device.FaultRefused, "read blob "+sha+": it is no small document", false)
			case b.Rotten:
				c.Fail(device.FaultCorrupt, "read blob "+sha+": it does not have its hash any more", true)
			default:
				c.Done(device.BlobRes{Data: b.Data})
			}
		})
	})
	host.Serve(pt, device.RemoveBlob, func(c host.Run[device.BlobReq, device.None]) {
		c.After(c.Latency(time.Millisecond, 10*time.Millisecond), func() {
			delete(s.Disk.Blobs, c.Req().Sha256)
			s.showBlob(c.Req().Sha256)
			c.Done(device.None{})
		})
	})
}

func (s *Store) verify(c host.Run[device.VerifyReq, device.VerifyRes]) {
	q := *c.Req()
	p := s.Disk.Partials[q.Target]
	if b, ok := s.Disk.Blobs[q.Sha256]; ok && p == nil {
		c.Done(device.VerifyRes{Sha256: q.Sha256, Size: b.Size}) // verified before
		return
	}
	if p == nil || !p.Done {
		c.Fail(device.FaultMissing, "verify "+q.Target+": no whole download", true)
		return
	}
	if !device.IsSha256(q.Sha256) {
		c.Fail(device.FaultRefused,
			"verify "+q.Target+": the expected hash is not 64 digits of hex", false)
		return
	}
	took := time.Duration(float64(p.Size) / hashRate * float64(time.Second))
	c.After(took+c.Latency(time.Millisecond, 10*time.Millisecond), func() {
		p := s.Disk.Partials[q.Target]
		if p == nil {
			c.Fail(device.FaultMissing, "verify "+q.Target+": it was removed meanwhile", true)
			return
		}
		got := p.Content.Sha256()
		if got != q.Sha256 {
			c.Fail(device.FaultCorrupt, "computed "+got, true)
			return
		}
		s.Disk.Blobs[got] = p.Content
		size := p.Size
		delete(s.Disk.Partials, q.Target)
		if s.Taken != nil {
			s.Taken(q.Target)
		}
		s.showBlob(got)
		c.Done(device.VerifyRes{Sha256: got, Size: size})
	})
}
