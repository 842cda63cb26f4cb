package downloader

import (
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/metrics"
)

// tallyFor is how long exchanges are counted apart before they are added to the published counters:
// an image of many layers would else move that one row with each of them.
const tallyFor = 10 * time.Second

// tally is the exchanges of one item that are not in the published counters yet.
type tally struct {
	Item  string
	Flush time.Duration
	Done  []exchange
}

// exchange is one that ended.
type exchange struct {
	Interface string
	Host      string // scheme and host: counters by whole URL would grow without end
	OK        bool
	Size      int64
	Took      time.Duration
	At        int64 // unix seconds
}

// Key is the item's.
func (c tally) Key() string { return c.Item }

var tallies = bus.NewTopic[tally](bus.Decl{Owner: "downloader", Name: "Tally", Life: bus.Local,
	MaxRows: content.MaxBlobs})

// count notes an exchange that ended.
func (a *downloader) count(t *agent.Turn, j *job, address string, ok bool, size int64,
	took time.Duration) {
	if address == "" {
		address = a.hostOf(j)
	}
	n := tally{Item: j.Item, Flush: t.Now + tallyFor}
	if old := a.tallies.Get(j.Item); old != nil {
		n = *old
	}
	n.Done = append(slices.Clone(n.Done), exchange{j.Route.Via.IfName, originOf(address), ok, size,
		took, t.Wall.Unix()})
	a.tallies.Put(n)
}

// flush adds what was counted apart for long enough.
func (a *downloader) flush(t *agent.Turn) {
	if a.tallies.Len() == 0 {
		return
	}
	first := time.Duration(math.MaxInt64)
	for _, n := range a.tallies.All() {
		first = min(first, n.Flush)
	}
	if t.Now < first {
		t.WakeAt("counters", first)
		return
	}
	var m metrics.MetricsMap
	if old := a.counters.Get("global"); old != nil {
		m.Ports = slices.Clone(old.Ports)
	}
	for item, n := range a.tallies.All() {
		for i := range n.Done {
			add(&m, &n.Done[i])
		}
		a.tallies.Delete(item)
	}
	a.counters.Put(m)
}

// add counts an exchange; m shares nothing but the URLs with rows that were put.
func add(m *metrics.MetricsMap, e *exchange) {
	i, found := slices.BinarySearchFunc(m.Ports, e.Interface,
		func(p metrics.PortCounters, name string) int { return strings.Compare(p.Interface, name) })
	if !found {
		m.Ports = slices.Insert(m.Ports, i, metrics.PortCounters{Interface: e.Interface})
	}
	p := &m.Ports[i]
	if e.OK {
		p.SuccessCount++
		p.LastSuccess = e.At
	} else {
		p.FailureCount++
		p.LastFailure = e.At
	}
	p.URLs = slices.Clone(p.URLs)
	k, found := slices.BinarySearchFunc(p.URLs, e.Host,
		func(u metrics.URLCounters, h string) int { return strings.Compare(u.URL, h) })
	if !found {
		p.URLs = slices.Insert(p.URLs, k, metrics.URLCounters{URL: e.Host})
	}
	u := &p.URLs[k]
	u.TryMsgCount++
	if e.OK {
		u.SentMsgCount++
		u.RecvMsgCount++
		u.RecvByteCount += e.Size
		u.TotalTimeMs += e.Took.Milliseconds()
	}
}

// hostOf is where a job fetches from.
func (a *downloader) hostOf(j *job) string {
	ds := a.datastores.Get(j.Route.Datastore)
	if ds == nil {
		return ""
	}
	return address(ds, &j.Order)
}

// originOf is scheme and host of a URL.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
