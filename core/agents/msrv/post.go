package msrv

import (
	"bytes"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/app"
)

// Kinds of posts, as the part names them.
const (
	kubeConfig   = "kubeconfig"
	customStatus = "customStatus"
)

func typeOf(kind string) app.MetaDataType {
	switch kind {
	case kubeConfig:
		return app.MetaDataKubeConfig
	case customStatus:
		return app.MetaDataCustomStatus
	}
	return app.MetaDataNone
}

// taken is when a post was taken last.
type taken struct {
	Post string
	At   time.Duration // since boot
}

// Key is that of the post.
func (x taken) Key() string { return x.Post }

var takens = bus.NewTopic[taken](bus.Decl{
	Owner: "msrv", Name: "Taken", Life: bus.Local, MaxRows: 4000})

// postEvery is how often what an application told may be written to flash.
const postEvery = 10 * time.Second

// duePost begins the key of a post's deadline.
const duePost = "post/"

// takePosts makes rows of what was posted, and deletes those of applications that are gone.
func (a *msrv) takePosts(t *agent.Turn) {
	var w agent.Work
	agent.Keys(&w, a.posts)
	for _, key := range t.Due() {
		if post, ok := strings.CutPrefix(key, duePost); ok {
			w.Add(post)
		}
	}
	for id := range a.configs.Changed() {
		for key := range a.posts.Prefixed(id + ".") {
			w.Add(key)
		}
	}
	for _, key := range w.All() {
		a.take(t, key)
	}
	if a.configs.Moved() || t.Full {
		for key, m := range a.data.All() {
			if a.configs.Gone(m.AppInstUUID) {
				a.data.Delete(key)
			}
		}
	}
	if a.configs.Complete() {
		a.data.Complete()
	}
}

// take makes a row of what was posted, if it is time.
func (a *msrv) take(t *agent.Turn, key string) {
	p := a.posts.Get(key)
	if p == nil {
		a.taken.Delete(key)
		t.Unwake(duePost + key)
		return
	}
	row := app.AppInstMetaData{AppInstUUID: p.App, Type: typeOf(p.Kind), Data: p.Body}
	if row.Type == app.MetaDataNone || a.configs.Gone(p.App) {
		return
	}
	if old := a.data.Get(row.Key()); old != nil && bytes.Equal(old.Data, row.Data) {
		return
	}
	if last := a.taken.Get(key); last != nil && t.Now < last.At+postEvery {
		t.WakeAt(duePost+key, last.At+postEvery)
		return
	}
	a.data.Put(row)
	a.taken.Put(taken{Post: key, At: t.Now})
}

// intakes are where applications post.
func intakes() []bridge.Intake {
	return []bridge.Intake{
		{Path: "/eve/v1/app/appCustomStatus", Kind: customStatus, Type: jsonType,
			Limit: bridge.MaxPost},
		{Path: "/eve/v1/kubeconfig", Kind: kubeConfig, Type: jsonType, Limit: bridge.MaxPost},
	}
}
