package flowlog

import "github.com/evetwin/evetwin/core/device/bridge"

// Queue keeps the records of one life of a part. It is not for several goroutines at once.
type Queue struct {
	life    uint64
	made    uint64   // number of the newest record
	records []record // by number
	lost    uint64
}

// record is a flow or a lookup.
type record struct {
	number uint64
	vif    string
	flow   *bridge.Flow
	lookup *bridge.Lookup
}

// New makes the records of a life, whose number is not 0 and not that of another life of the part.
func New(life uint64) *Queue { return &Queue{life: life} }

// Flow keeps a record of a flow.
func (q *Queue) Flow(f bridge.Flow) { q.add(record{vif: f.Vif, flow: &f}) }

// Lookup keeps a record of a name that was asked for.
func (q *Queue) Lookup(l bridge.Lookup) { q.add(record{vif: l.Vif, lookup: &l}) }

// Len is how many records there are.
func (q *Queue) Len() int { return len(q.records) }

func (q *Queue) add(r record) {
	if len(q.records) >= bridge.MaxRecords {
		q.lost++
		return
	}
	q.made++
	r.number = q.made
	q.records = append(q.records, r)
}

// Forget drops what is known of an interface.
func (q *Queue) Forget(vif string) {
	kept := q.records[:0]
	for _, r := range q.records {
		if r.vif != vif {
			kept = append(kept, r)
		}
	}
	clear(q.records[len(kept):])
	q.records = kept
}

// Collect forgets the records up to a mark, and tells the oldest behind it.
func (q *Queue) Collect(after bridge.FlowMark) bridge.FlowsRes {
	if after.Life == q.life {
		had := 0
		for had < len(q.records) && q.records[had].number <= after.Number {
			had++
		}
		q.records = append([]record(nil), q.records[had:]...)
	} else {
		after = bridge.FlowMark{Life: q.life}
	}
	res := bridge.FlowsRes{Upto: after, Lost: q.lost, More: len(q.records) > bridge.MostRecords}
	for _, r := range q.records[:min(len(q.records), bridge.MostRecords)] {
		if r.flow != nil {
			res.Flows = append(res.Flows, *r.flow)
		} else {
			res.Lookups = append(res.Lookups, *r.lookup)
		}
		res.Upto.Number = r.number
	}
	return res
}
