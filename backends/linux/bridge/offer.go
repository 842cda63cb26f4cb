package bridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/bootnote"
	"github.com/evetwin/evetwin/backends/linux/netpart"
	"github.com/evetwin/evetwin/backends/metadata"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host"
)

// offerDir is the folder of offers in that of Options.State, a file each: there may be one for each
// guest, and they come one by one.
const offerDir = "offers"

// offering is the metadata service of a boot: the desk, on the device's loop, and the files that a
// new process goes on from.
type offering struct {
	dir    string
	desk   *metadata.Desk
	pt     *host.Part
	note   bootnote.Note
	kept   []device.OfferSeen // as they were found
	ready  chan struct{}      // closed when the desk has what was kept
	failed chan struct{}      // closed when it never will
	why    error
}

func newOffering(o *Options, pt *host.Part) *offering {
	x := &offering{dir: filepath.Join(o.State, offerDir), pt: pt, ready: make(chan struct{}),
		failed: make(chan struct{})}
	if o.Keeper != nil {
		x.desk = metadata.New(pt, o.Keeper())
	} else {
		x.desk = metadata.New(pt, nil)
	}
	host.Serve(pt, device.Offer, x.serve)
	return x
}

// offerFile is an offer in its file.
type offerFile struct {
	Boot  string
	Offer device.OfferSeen
}

// open reads what an earlier process was told in this boot of the kernel.
func (x *offering) open() error {
	var err error
	if x.note, err = bootnote.Open(x.dir, "", 0o700, nil); err != nil {
		return fmt.Errorf("open the offers: %w", err)
	}
	files, err := os.ReadDir(x.dir)
	if err != nil {
		return fmt.Errorf("read the offers: %w", err)
	}
	for _, f := range files {
		n := x.file(strings.TrimSuffix(f.Name(), ".json"))
		var was offerFile
		ok, err := n.Load(&was)
		if err != nil {
			return fmt.Errorf("read an offer: %w", err)
		}
		q := device.OfferReq{Offer: was.Offer.Offer, Spec: &was.Offer.Spec}
		if !ok || device.SaneOffer(&q) != "" || q.Offer+".json" != f.Name() {
			if err := os.Remove(filepath.Join(x.dir, f.Name())); err != nil {
				return fmt.Errorf("remove a broken offer: %w", err)
			}
			continue
		}
		x.kept = append(x.kept, was.Offer)
	}
	return nil
}

// file is the file of an offer.
func (x *offering) file(offer string) bootnote.Note {
	n := x.note
	n.Path = filepath.Join(x.dir, offer+".json")
	return n
}

// begin gives the desk what was kept; on the device's loop.
func (x *offering) begin() {
	for i := range x.kept {
		x.desk.Apply(&device.OfferReq{Offer: x.kept[i].Offer, Spec: &x.kept[i].Spec})
	}
	x.desk.Complete()
	close(x.ready)
}

// fail says that there will be no desk.
func (x *offering) fail(err error) {
	x.why = err
	close(x.failed)
}

// serve carries an offer out: it is in its file before the desk has it.
func (x *offering) serve(c host.Run[device.OfferReq, device.None]) {
	q := *c.Req()
	if why := device.SaneOffer(&q); why != "" {
		c.Fail(device.FaultRefused, "offer "+q.Offer+": "+why, false)
		return
	}
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		if err := x.write(ctx, &q); err != nil {
			return device.None{}, netpart.Fault(fmt.Errorf("offer %s: %w", q.Offer, err))
		}
		return device.None{}, nil
	}, func(res device.None, f *agent.Fault) {
		if f == nil {
			x.desk.Apply(&q)
		}
		c.Finish(res, f)
	})
}

// write keeps an offer, or forgets it.
func (x *offering) write(ctx context.Context, q *device.OfferReq) error {
	select {
	case <-x.ready:
	case <-x.failed:
		return x.why
	case <-ctx.Done():
		return ctx.Err()
	}
	n := x.file(q.Offer)
	if q.Spec != nil {
		return n.Save(offerFile{Boot: n.Boot,
			Offer: device.OfferSeen{Offer: q.Offer, Spec: *q.Spec}})
	}
	if err := os.Remove(n.Path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ask has the desk answer a request, on the device's loop; false if it did not within the time of
// the request.
func (x *offering) ask(ctx context.Context, q metadata.Request) (metadata.Answer, bool) {
	told := make(chan metadata.Answer, 1)
	x.pt.Post(func() { told <- x.desk.Answer(q) })
	select {
	case a := <-told:
		return a, true
	case <-ctx.Done():
		return metadata.Answer{}, false
	}
}
