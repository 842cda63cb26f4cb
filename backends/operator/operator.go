// Package operator is the part operator: requests of those in front of the device go in, as rows
// for the agent that carries them out, and its answers come back. It is the same on every device;
// what differs is how people reach it.
package operator

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/host"
)

// Answer is how a request ended.
type Answer struct {
	// OK says that it was carried out; else Text says why not, and Fields which fields are wrong.
	OK     bool
	Text   string
	Fields []device.FieldError
}

// Errors of Ask.
var (
	// ErrOff answers who asks a device that is off.
	ErrOff = errors.New("the device is off")
	// ErrBusy answers who asks for more than device.MaxRequests at a time.
	ErrBusy = errors.New("too many requests wait for their answer")
)

// Part is the part. Its methods belong to the device's loop.
type Part struct {
	pt       *host.Part
	requests *bus.Pub[device.RequestSeen]
	asked    uint64
	waiting  map[string]func(Answer) // by ID
}

// Wire declares the part for a boot: nobody has asked for anything yet.
func (p *Part) Wire(k *host.Kernel) {
	p.pt, p.asked, p.waiting = k.Part("operator"), 0, map[string]func(Answer){}
	p.requests = bus.Publish(p.pt, device.Requests)
	p.requests.Complete()
	host.Serve(p.pt, device.Answer, p.answer)
}

// Ask has the device carry a request out; its ID is given here. Then is told of the end, on the
// loop, unless the device goes down before it: Cut tells those who wait.
func (p *Part) Ask(q device.RequestSeen, then func(Answer)) error {
	switch {
	case p.pt == nil:
		return ErrOff
	case p.requests.Len() >= device.MaxRequests:
		return ErrBusy
	}
	p.asked++
	// A life of the device may have several boots of its hub: no ID comes twice.
	q.ID = fmt.Sprintf("%06d-%06d", p.pt.Kernel().BootCount(), p.asked)
	p.waiting[q.ID] = then
	p.pt.Do(func() { p.requests.Put(q) })
	return nil
}

// answer ends a request.
func (p *Part) answer(c host.Run[device.AnswerReq, device.None]) {
	q := c.Req()
	p.requests.Delete(q.ID)
	if then := p.waiting[q.ID]; then != nil {
		delete(p.waiting, q.ID)
		then(Answer{OK: q.OK, Text: q.Text, Fields: q.Fields})
	}
	c.Done(device.None{})
}

// Cut is the end of a boot: whoever waits is told that there will be no answer.
func (p *Part) Cut() {
	waiting := p.waiting
	p.pt, p.waiting = nil, nil
	for _, id := range slices.Sorted(maps.Keys(waiting)) {
		waiting[id](Answer{Text: "the device went down"})
	}
}
