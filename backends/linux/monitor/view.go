package monitor

import (
	"reflect"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// view is what a terminal was told.
type view struct {
	server func() string
	tables map[string]bus.Head // by topic
	last   map[string]any      // messages, by type; of downloads by type and key
}

func newView(server func() string) *view {
	return &view{server: server, tables: map[string]bus.Head{}, last: map[string]any{}}
}

// news are the messages that tell what has changed since; at first, all.
func (v *view) news(topics []hub.Topic) (out []message) {
	clear(v.tables)
	for _, t := range topics {
		v.tables[t.Owner+"/"+t.Name] = t.Rows
	}
	tell := func(kind, key string, m any) {
		if !reflect.DeepEqual(v.last[kind+key], m) {
			v.last[kind+key] = m
			out = append(out, message{kind, m})
		}
	}
	tell("DeviceStatus", "", v.device())
	tell("NetworkStatus", "", v.network())
	tell("AppsList", "", v.apps())
	level := get(v, config.Items, entity.Global).Text("debug.tui.loglevel")
	tell("TUIConfig", "", tuiConfig{level})
	for key := range v.last { //order: each is its own
		sha, is := strings.CutPrefix(key, "DownloaderStatus")
		if is && get(v, content.DownloadStatuses, sha) == nil {
			delete(v.last, key)
		}
	}
	for _, d := range all(v, content.DownloadStatuses) {
		tell("DownloaderStatus", d.ImageSha256, downloaderStatus{Name: d.Name, State: d.State.String(),
			ContentType: d.ContentType, Progress: uint32(d.Progress), CurrentSize: d.CurrentSize,
			TotalSize: d.TotalSize, Error: d.Error})
	}
	return out
}

// get is a row, nil if there is none or none that can be read.
func get[V bus.Row](v *view, t bus.Topic[V], key string) *V {
	h, ok := v.tables[t.String()]
	if !ok {
		return nil
	}
	x, _ := h.Get(key)
	return read(t, x)
}

// all are the rows of a topic that can be read, by key.
func all[V bus.Row](v *view, t bus.Topic[V]) (out []*V) {
	h, ok := v.tables[t.String()]
	if !ok {
		return nil
	}
	for _, x := range h.All() {
		if r := read(t, x); r != nil {
			out = append(out, r)
		}
	}
	return out
}

// read reads a row of the hub.
func read[V bus.Row](t bus.Topic[V], x any) *V {
	r, ok := x.(*hub.Row)
	if !ok {
		return nil
	}
	row, err := t.Decode(r.JSON)
	if err != nil {
		return nil // of another version of its agent
	}
	return row.(*V)
}

// tuiConfig is EVE's TUIConfig.
type tuiConfig struct {
	LogLevel string `json:"logLevel"`
}

// downloaderStatus is EVE's DownloaderStatus.
type downloaderStatus struct {
	Name        string `json:"name"`
	State       string `json:"state"`
	ContentType string `json:"contentType"`
	Progress    uint32 `json:"progress"`
	CurrentSize int64  `json:"currentSize"`
	TotalSize   int64  `json:"totalSize"`
	Error       string `json:"error"`
}

// appsList is EVE's AppsList.
type appsList struct {
	Instances []appInstance `json:"instances,omitempty"`
}

type appInstance struct {
	UUID    string `json:"uuid"`
	Name    string `json:"name"`
	Version string `json:"version"`
	State   string `json:"state"`
	Error   string `json:"error"`
}

// apps are all applications.
func (v *view) apps() appsList {
	var out appsList
	for _, a := range all(v, app.Statuses) {
		out.Instances = append(out.Instances, appInstance{UUID: a.UUID, Name: a.DisplayName,
			Version: a.Version, State: stateName(a.State), Error: a.Error})
	}
	return out
}

// stateName is a state of software as EVE's terminal names it.
func stateName(s entity.SwState) string {
	names := [...]string{"initial", "resolvingTag", "resolvedTag", "downloading", "downloaded",
		"verifying", "verified", "loading", "loaded", "creatingVolume", "createdVolume", "installed",
		"awaitNetworkInstance", "startDelayed", "booting", "running", "pausing", "paused", "halting",
		"halted", "broken", "unknown", "pending", "scheduling", "failed", "remoteLoaded"}
	if i := int(s) - int(entity.INITIAL); i >= 0 && i < len(names) {
		return names[i]
	}
	return "unknown"
}
