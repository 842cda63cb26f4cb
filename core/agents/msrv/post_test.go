package msrv

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
)

func TestPostsAreKept(t *testing.T) {
	b := newBench(t)
	b.serve()
	b.post(app1, kubeConfig, "k1")
	b.post(app1, customStatus, "s1")
	b.post(app2, customStatus, "s2")
	b.post(app2, "gossip", "of no kind")
	b.tells(app1, app.MetaDataKubeConfig, "k1")
	b.tells(app1, app.MetaDataCustomStatus, "s1")
	b.tells(app2, app.MetaDataCustomStatus, "s2")
	if n := len(rig.Rows(b.Rig, app.MetaData)); n != 3 || !rig.IsComplete(b.Rig, app.MetaData) {
		t.Fatalf("%d rows\n%s", n, b.Dump())
	}
	b.post(app1, kubeConfig, "") // the part forgot it: its guest is gone
	b.tells(app1, app.MetaDataKubeConfig, "k1")
	b.Reboot()
	b.Step()
	b.tells(app1, app.MetaDataKubeConfig, "k1")
	rig.Complete(b.Rig, app.Configs)
	rig.Put(b.Rig, app.Configs, app.AppInstanceConfig{
		UUIDandVersion: entity.UUIDandVersion{UUID: app2}})
	b.Step()
	b.tells(app1, app.MetaDataKubeConfig, "")
	b.tells(app2, app.MetaDataCustomStatus, "s2")
}

func TestPostsArePacedAndTheNewestCounts(t *testing.T) {
	b := newBench(t)
	b.serve()
	b.post(app1, customStatus, "1")
	b.Advance(time.Second)
	b.post(app1, customStatus, "2")
	b.post(app1, kubeConfig, "k") // another kind does not wait
	b.tells(app1, app.MetaDataKubeConfig, "k")
	b.Advance(time.Second)
	b.post(app1, customStatus, "3")
	b.Advance(postEvery - 2*time.Second - time.Millisecond)
	b.tells(app1, app.MetaDataCustomStatus, "1")
	b.Advance(time.Millisecond)
	b.tells(app1, app.MetaDataCustomStatus, "3")
	b.Advance(time.Hour)
	b.post(app1, customStatus, "4")
	b.tells(app1, app.MetaDataCustomStatus, "4")
}

func TestPostsOfWhoIsGoneAreNotKept(t *testing.T) {
	b := newBench(t)
	rig.Delete(b.Rig, app.Configs, app1)
	b.post(app1, customStatus, "late")
	b.tells(app1, app.MetaDataCustomStatus, "")
	b.app(app1, "10.1.0.2", nil) // it is back, and so is what it said
	b.Step()
	b.tells(app1, app.MetaDataCustomStatus, "late")
}
