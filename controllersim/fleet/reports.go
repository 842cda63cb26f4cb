package fleet

import (
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/info"
)

// Report is one message of a device.
type Report struct {
	// Seq numbers the device's reports of all kinds, from 1, without gaps.
	Seq uint64
	// At is when it came.
	At time.Time
	// Kind is the endpoint it was sent to: info, metrics, flowlog, newlogs ...
	Kind eveapi.Endpoint
	// Type is the type of an info message, 0 for other kinds.
	Type info.ZInfoTypes
	// Entity is what an info message is about (eveapi.InfoEntity), or the application of a log.
	Entity string
	// Stamp is when the device made the message, by its own clock, in ns since 1970; 0 where a
	// message does not say. Only info and metrics do.
	Stamp int64 `json:",omitempty"`
	// Old says that it came behind one of the same object that was made later: it is kept as part of
	// the history, and is not the newest.
	Old bool `json:",omitempty"`
	// Body is the message, serialized. It must not be changed.
	Body []byte
}

type entityKey struct {
	kind   eveapi.Endpoint
	typ    info.ZInfoTypes
	entity string
}

// reports are the newest report of each entity and a bounded history of each kind.
type reports struct {
	seq     uint64
	last    map[entityKey]Report
	history map[eveapi.Endpoint]*history
}

// history keeps the newest reports of a kind, up to a number of bytes but at least one.
type history struct {
	items []Report
	bytes int
}

func (h *history) add(r Report, limit int) {
	h.items = append(h.items, r)
	h.bytes += len(r.Body)
	drop := 0
	for h.bytes > limit && drop < len(h.items)-1 {
		h.bytes -= len(h.items[drop].Body)
		drop++
	}
	if drop > 0 {
		n := copy(h.items, h.items[drop:])
		clear(h.items[n:])
		h.items = h.items[:n]
	}
}

// AddReport records a message of the device. Its body is kept, not copied.
func (d *Device) AddReport(r Report) {
	d.reports.seq++
	r.Seq = d.reports.seq
	if d.reports.history == nil {
		d.reports.history = map[eveapi.Endpoint]*history{}
		d.reports.last = map[entityKey]Report{}
	}
	if r.Kind == eveapi.Info || r.Kind == eveapi.Metrics {
		key := entityKey{r.Kind, r.Type, r.Entity}
		last, known := d.reports.last[key]
		r.Old = r.Old || known && r.before(&last)
		if !r.Old && (known || len(d.reports.last) < maxEntities) {
			d.reports.last[key] = r
		}
	}
	h := d.reports.history[r.Kind]
	if h == nil {
		h = &history{}
		d.reports.history[r.Kind] = h
	}
	h.add(r, d.fleet.opts.HistoryBytes)
	d.fleet.notify(d.uuid)
}

// before reports whether a message was made before another one that came earlier, and not by a
// clock that was set back in between.
func (r *Report) before(other *Report) bool {
	by := time.Duration(other.Stamp - r.Stamp)
	return r.Stamp != 0 && other.Stamp != 0 && by > 0 && by <= eveapi.LateBy
}

// ReportsSince are the kept reports of a kind with a number above seq, oldest first. A gap between
// seq and the first number means that older ones were dropped, or belong to other kinds.
func (d *Device) ReportsSince(kind eveapi.Endpoint, seq uint64) []Report {
	h := d.reports.history[kind]
	if h == nil {
		return nil
	}
	i := len(h.items)
	for i > 0 && h.items[i-1].Seq > seq {
		i--
	}
	return append([]Report(nil), h.items[i:]...)
}

// LastSeq is the number of the device's newest report of any kind.
func (d *Device) LastSeq() uint64 {
	return d.reports.seq
}

// Last is the newest report on an entity; metrics have entity "" and type 0.
func (d *Device) Last(kind eveapi.Endpoint, typ info.ZInfoTypes, entity string) (Report, bool) {
	r, ok := d.reports.last[entityKey{kind, typ, entity}]
	return r, ok
}
