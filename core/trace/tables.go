package trace

import (
	"maps"
	"slices"
	"time"
)

// Tables is what the topics of devices hold at a place in a recording. A row that is to be durable
// counts from the turn that put it.
type Tables struct{ devices map[string]*DeviceTables }

// DeviceTables is what the topics of a device hold.
type DeviceTables struct {
	Device string
	Boot   uint64
	Now    time.Duration // of its last frame
	Wall   time.Time
	rows   map[string]map[string]Row
	whole  map[string]bool
}

// NewTables are those before the first frame.
func NewTables() *Tables { return &Tables{map[string]*DeviceTables{}} }

// Devices lists the devices by name.
func (t *Tables) Devices() []string { return slices.Sorted(maps.Keys(t.devices)) }

// Device is what there is of a device, nil if there is nothing.
func (t *Tables) Device(name string) *DeviceTables { return t.devices[name] }

// Take takes the next frame.
func (t *Tables) Take(f Frame) {
	switch f := f.(type) {
	case *Boot:
		t.devices[f.Device] = &DeviceTables{Device: f.Device, Boot: f.Boot, Now: f.Now, Wall: f.Wall,
			rows: map[string]map[string]Row{}, whole: map[string]bool{}}
	case *Table:
		if d := t.devices[f.Device]; d != nil && !f.Old {
			delete(d.rows, f.Topic)
			d.whole[f.Topic] = f.Complete
			d.put(f.Rows)
		}
	case *Start:
		if d := t.devices[f.Device]; d != nil {
			d.Now = f.Now
			for _, topic := range f.Lost {
				delete(d.rows, topic)
			}
		}
	case *Seen:
		if d := t.devices[f.Device]; d != nil {
			d.Now = f.Now
			d.put(f.Rows)
		}
	case *Turn:
		if d := t.devices[f.Device]; d != nil {
			d.Now, d.Wall = f.Now, f.Wall
			for _, m := range f.Moves {
				d.whole[m.Topic] = d.whole[m.Topic] || m.Complete
			}
			for _, topic := range f.Whole {
				d.whole[topic] = true
			}
			d.put(f.Rows)
		}
	}
}

func (d *DeviceTables) put(rows []Row) {
	for _, r := range rows {
		if r.Val.IsZero() {
			delete(d.rows[r.Topic], r.Key)
			continue
		}
		if d.rows[r.Topic] == nil {
			d.rows[r.Topic] = map[string]Row{}
		}
		d.rows[r.Topic][r.Key] = r
	}
}

// Topics lists the topics that hold something or are complete, by name.
func (d *DeviceTables) Topics() []string {
	out := slices.Sorted(maps.Keys(d.whole))
	for topic, rows := range d.rows { //order: sorted below
		if len(rows) > 0 {
			out = append(out, topic)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Rows are the rows of a topic by key.
func (d *DeviceTables) Rows(topic string) []Row {
	out := make([]Row, 0, len(d.rows[topic]))
	for _, key := range slices.Sorted(maps.Keys(d.rows[topic])) {
		out = append(out, d.rows[topic][key])
	}
	return out
}

// Complete reports whether a topic was declared complete.
func (d *DeviceTables) Complete(topic string) bool { return d.whole[topic] }
