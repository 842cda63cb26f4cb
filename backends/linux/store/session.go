package store

import (
	"context"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/store/watch"
	"github.com/evetwin/evetwin/backends/linux/store/zfs"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// session is the part in one boot.
type session struct {
	*Store
	pt      *host.Part
	files   *bus.Pub[device.FileSeen]
	blobs   *bus.Pub[device.BlobSeen]
	volumes *bus.Pub[device.VolumeSeen]
	space   *bus.Pub[device.SpaceSeen]

	// For the device's loop.
	keeper  *secret.Keeper
	lasting []secret.Lasting // what is on the disk, or on its way
	lists   int              // how many lists of secrets there were
	ready   bool
	waiting []func()

	ctx  context.Context
	stop context.CancelFunc

	// mu is held while names on the disk change, or are looked at to say what is there.
	mu    sync.Mutex
	watch *watch.Watcher // set before anything else runs
	known bool           // small files were looked at
	pool  *zfs.Pool      // of /persist; nil: it lies on another file system
	// unsure: whether there is a pool could not be found out.
	unsure bool
	open   bool             // the vault is, and its tables are complete
	sizes  map[string]int64 // of containers, by path, as they were measured

	projects  sync.Mutex // held while one is given out
	secrets   sync.Mutex
	savedList int // number of the newest list of secrets that is on the disk

	ending sync.Mutex
	ended  bool
	work   sync.WaitGroup
	over   sync.Once
}

func newSession(s *Store, pt *host.Part) *session {
	x := &session{Store: s, pt: pt, keeper: s.o.Keeper(), sizes: map[string]int64{}}
	x.files, x.blobs = bus.Publish(pt, device.Files), bus.Publish(pt, device.Blobs)
	x.volumes, x.space = bus.Publish(pt, device.Volumes), bus.Publish(pt, device.Space)
	x.ctx, x.stop = context.WithCancel(context.Background())
	return x
}

// serve serves the ops.
func (x *session) serve() {
	host.Serve(x.pt, device.Read, func(c host.Run[device.ReadReq, device.ReadRes]) {
		x.when(c.Live, func() { x.serveRead(c) })
	})
	host.Serve(x.pt, device.Write, func(c host.Run[device.WriteReq, device.None]) {
		x.when(c.Live, func() { x.serveWrite(c) })
	})
	served(x, device.Remove, x.remove)
	served(x, device.SetServer, x.setServer)
	served(x, device.Verify, x.verify)
	served(x, device.ReadBlob, x.readBlob)
	served(x, device.RemoveBlob, x.removeBlob)
	served(x, device.CreateVolume, x.createVolume)
	served(x, device.RemoveVolume, x.removeVolume)
}

// served has an op carried out off the loop, once the disk was looked at.
func served[Req, Res any](x *session, op agent.Op[Req, Res],
	f func(context.Context, *Req) (Res, *agent.Fault),
) {
	host.Serve(x.pt, op, func(c host.Run[Req, Res]) {
		x.when(c.Live, func() {
			run(x, c, func(ctx context.Context) (Res, *agent.Fault) { return f(ctx, c.Req()) }, c.Finish)
		})
	})
}

// run does real work of a call; it ends with the call or with the boot.
func run[Req, Res any](x *session, c host.Run[Req, Res],
	work func(context.Context) (Res, *agent.Fault), then func(Res, *agent.Fault),
) {
	if !x.add() {
		c.Fail(agent.FaultCancelled, "the boot is over", true)
		return
	}
	c.Go(func(ctx context.Context) (Res, *agent.Fault) {
		defer x.work.Done()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(x.ctx, cancel)()
		return work(ctx)
	}, then)
}

// when runs f on the loop as soon as the disk was looked at, if the call still wants it.
func (x *session) when(live func() bool, f func()) {
	if x.ready {
		f()
		return
	}
	x.waiting = append(x.waiting, func() {
		if live() {
			f()
		}
	})
}

// add counts work in; false if the session is over.
func (x *session) add() bool {
	x.ending.Lock()
	defer x.ending.Unlock()
	if !x.ended {
		x.work.Add(1)
	}
	return !x.ended
}

// begin does work on a goroutine of its own.
func (x *session) begin(f func()) {
	if x.add() {
		go func() {
			defer x.work.Done()
			f()
		}()
	}
}

// halt ends all work and waits for it.
func (x *session) halt() {
	x.ending.Lock()
	x.ended = true
	x.ending.Unlock()
	x.stop()
	x.work.Wait()
	x.over.Do(func() {
		if x.watch != nil {
			_ = x.watch.Close()
		}
	})
}

// post has f run as a step of the part, in the order of the posts.
func (x *session) post(f func()) { x.pt.Post(f) }

// complain tells of an error that no call can tell.
func (x *session) complain(err error) {
	if err != nil && x.ctx.Err() == nil {
		x.o.OnError(err)
	}
}
