package downloader

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// step is what a job is at.
type step string

const (
	stepPick  step = ""      // chooses a route, or waits because none is left
	stepProbe step = "probe" // asks a registry about the manifest
	stepToken step = "token" // asks for a token
	stepFetch step = "fetch" // transfers
	stepDone  step = "done"  // a tag is resolved
)

// order is what is asked for; a job whose order changes starts anew.
type order struct {
	Name       string
	IsURL      bool
	Target     string
	Sha        string // empty: the tag in Name is to be resolved
	MediaType  string
	Max        uint64
	Datastores []string
	Revs       []uint64 // of the datastores' rows: an edit is another order
}

// route is one way to a datastore.
type route struct {
	Datastore string
	Label     string // logical label of the port
	Via       web.Via
}

func (r *route) key() string {
	return r.Datastore + " " + r.Via.IfName + " " + r.Via.Source.String()
}

// job is how far one download or resolution is.
type job struct {
	Item      string // key of the config it serves
	Order     order
	Step      step
	Route     route
	Token     string // reference of the token for the registry, empty for none
	Login     bool   // the datastore's own credentials are sent
	Renewed   bool   // what the registry wants to see was asked for on this route
	Again     bool   // the registry was probed again because it refused what it had accepted
	Challenge challenge
	Blob      bool     // fetch from the blobs, not from the manifests
	Read      bool     // the digest has to be computed from the manifest
	Tried     []string // keys of routes that failed since the last wait
	Errors    []string // why, in the same order
	Problems  []string // why there are not more routes
	Stalled   time.Duration
	Severity  entity.Severity // of the error, graded when the wait began
	Count     int             // how often it began anew after a wait
	Since     time.Duration
	Delay     time.Duration // length of the wait
	RetryAt   time.Duration // end of the wait, 0: it does not wait for time
	LastRetry time.Time     // wall
	Result    string        // what a tag was resolved to
	Type      string        // content type the server gave
}

// Key is the item's.
func (j job) Key() string { return j.Item }

var jobs = bus.NewTopic[job](bus.Decl{Owner: "downloader", Name: "Job", Life: bus.Local,
	MaxBytes: 256 << 10})

func orderOf(c *content.DownloaderConfig) order {
	return order{Name: c.Name, IsURL: c.NameIsURL, Target: c.Target, Sha: c.ImageSha256,
		MediaType: c.MediaType, Max: c.Size, Datastores: c.DatastoreIDList}
}

// job is the job of an item: the one under way if it serves the same order, else a new one. An edit
// of a datastore begins anew but keeps the count of retries.
func (a *downloader) job(item string, o order) job {
	for _, id := range o.Datastores {
		o.Revs = append(o.Revs, a.datastores.Rev(id))
	}
	old := a.jobs.Get(item)
	if old != nil && o.equal(&old.Order) {
		return *old
	}
	a.fetch.Drop(item)
	a.send.Drop(item)
	j := job{Item: item, Order: o}
	if old != nil {
		j.Count, j.Since, j.Severity = old.Count, old.Since, old.Severity
		if old.RetryAt > 0 {
			j.Count++ // the edit cuts the wait short
		}
	}
	return j
}

func (o *order) equal(p *order) bool {
	if len(o.Datastores) != len(p.Datastores) || len(o.Revs) != len(p.Revs) {
		return false
	}
	for i := range o.Datastores {
		if o.Datastores[i] != p.Datastores[i] || o.Revs[i] != p.Revs[i] {
			return false
		}
	}
	return o.Name == p.Name && o.IsURL == p.IsURL && o.Target == p.Target && o.Sha == p.Sha &&
		o.MediaType == p.MediaType && o.Max == p.Max
}
