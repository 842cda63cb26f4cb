package zedagentinfo

import (
	"strings"

	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/network"
)

// build makes the message of an item from what the rows say now.
func (a *reporter) build(t *agent.Turn, p *pace, i controllerconn.Item) controllerconn.Message {
	kind := report.Kind(i.Kind)
	final := false
	var m *info.ZInfoMsg
	if kind == report.KindDevice {
		if i.Entity != p.Device {
			return controllerconn.Message{Nothing: true}
		}
		m = a.deviceMessage(p)
	} else if m = a.message(kind, i.Entity); m == nil {
		if kind == report.KindVolume && a.livesOn(i.Entity) {
			return controllerconn.Message{Nothing: true}
		}
		final = true
		gone, err := report.Gone(kind, identifier(kind, i.Entity))
		if err != nil {
			t.Log(agent.Err, i.Entity, err.Error())
			return controllerconn.Message{Nothing: true}
		}
		m = gone
	}
	body, news, err := report.Body(m, p.Device, p.stamp(t.Wall))
	if err != nil {
		t.Log(agent.Err, i.Entity, err.Error())
		return controllerconn.Message{Nothing: true}
	}
	return controllerconn.Message{Sum: news, Final: final, Request: controllerconn.Request{
		Endpoint: eveapi.Info, Payload: body}}
}

// message is what is to be said of an entity that exists, nil if it does not.
func (a *reporter) message(kind report.Kind, key string) *info.ZInfoMsg {
	switch kind {
	case report.KindApp:
		if s := a.apps.Get(key); s != nil {
			return report.App(s, a.adapters.Get("global"), a.instance)
		}
	case report.KindInstance:
		if s := a.instances.Get(key); s != nil {
			return report.Instance(s)
		}
	case report.KindVolume:
		if s := a.volumes.Get(key); s != nil {
			return report.Volume(s)
		}
	case report.KindContentTree:
		if s := a.trees.Get(key); s != nil {
			return report.ContentTree(s)
		}
	case report.KindBlob:
		if s := a.blobs.Get(key); s != nil && s.RefCount > 0 {
			return report.Blob(s)
		}
	case report.KindMetaData:
		if s := a.metaData.Get(key); s != nil {
			return report.MetaData(s)
		}
	}
	return nil
}

func (a *reporter) instance(id string) *network.NetworkInstanceStatus { return a.instances.Get(id) }

// identifier is what the controller calls an entity: a volume's row names its generation, too.
func identifier(kind report.Kind, key string) string {
	if kind == report.KindVolume {
		id, _, _ := strings.Cut(key, "#")
		return id
	}
	return key
}

// livesOn reports whether a volume has a row of another generation: then it is not gone.
func (a *reporter) livesOn(key string) bool {
	id := identifier(report.KindVolume, key)
	for _, v := range a.volumes.All() {
		if v.VolumeID == id {
			return true
		}
	}
	return false
}
