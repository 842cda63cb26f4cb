package volumemgr

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

type volumemgr struct {
	treeConfigs   *bus.Sub[content.ContentTreeConfig]
	volumeConfigs *bus.Sub[volume.VolumeConfig]
	refConfigs    *bus.Sub[volume.VolumeRefConfig]
	datastores    *bus.Sub[content.DatastoreConfig]
	items         *bus.Sub[config.ConfigItemValueMap]
	zedagent      *bus.Sub[node.ZedAgentStatus]
	nodeagent     *bus.Sub[node.NodeAgentStatus]
	fetched       *bus.Sub[content.DownloaderStatus]
	resolved      *bus.Sub[content.ResolveStatus]
	verified      *bus.Sub[content.VerifyImageStatus]
	seenBlobs     *bus.Sub[store.BlobSeen]
	seenVolumes   *bus.Sub[store.VolumeSeen]
	space         *bus.Sub[store.SpaceSeen]
	host          *bus.Sub[hyper.HostSeen]

	trees     *bus.Pub[content.ContentTreeStatus]
	blobs     *bus.Pub[content.BlobStatus]
	volumes   *bus.Pub[volume.VolumeStatus]
	refs      *bus.Pub[volume.VolumeRefStatus]
	mgr       *bus.Pub[volume.VolumeMgrStatus]
	downloads *bus.Pub[content.DownloaderConfig]
	resolves  *bus.Pub[content.ResolveConfig]
	verifies  *bus.Pub[content.VerifyImageConfig]
	latched   *bus.Pub[content.AppAndImageToHash]
	pending   *bus.Pub[volume.VolumeCreatePending]
	deferred  *bus.Pub[deferral]
	manifests *bus.Pub[manifest]
	sweeps    *bus.Pub[orphanSweep]
	unfolds   *bus.Pub[unfolded]
	wants     *bus.Pub[wanting]
	waits     *bus.Pub[waiting]
	strays    *bus.Pub[stray]
	ledger    *bus.Pub[ledger]

	read         *agent.Calls[store.BlobReq, store.BlobRes]
	removeBlob   *agent.Calls[store.BlobReq, store.None]
	create       *agent.Calls[store.CreateVolumeReq, store.None]
	removeVolume *agent.Calls[store.VolumeReq, store.None]
}

// New builds the agent.
func New(p bus.Port) agent.Agent {
	return &volumemgr{
		treeConfigs:   bus.Subscribe(p, content.Trees),
		volumeConfigs: bus.Subscribe(p, volume.Configs),
		refConfigs:    bus.Subscribe(p, volume.Refs),
		datastores:    bus.Subscribe(p, content.Datastores),
		items:         bus.Subscribe(p, config.Items),
		zedagent:      bus.Subscribe(p, node.ZedAgent, bus.Quiet),
		nodeagent:     bus.Subscribe(p, node.NodeAgent, bus.Quiet),
		fetched:       bus.Subscribe(p, content.DownloadStatuses),
		resolved:      bus.Subscribe(p, content.ResolveStatuses),
		verified:      bus.Subscribe(p, content.VerifyStatuses),
		seenBlobs:     bus.Subscribe(p, store.Blobs),
		seenVolumes:   bus.Subscribe(p, store.Volumes),
		space:         bus.Subscribe(p, store.Space),
		host:          bus.Subscribe(p, hyper.Host, bus.Optional),

		trees:     bus.Publish(p, content.TreeStatuses),
		blobs:     bus.Publish(p, content.Blobs),
		volumes:   bus.Publish(p, volume.Statuses),
		refs:      bus.Publish(p, volume.RefStatuses),
		mgr:       bus.Publish(p, volume.Mgr),
		downloads: bus.Publish(p, content.Downloads),
		resolves:  bus.Publish(p, content.Resolves),
		verifies:  bus.Publish(p, content.Verifies),
		latched:   bus.Publish(p, content.Latched),
		pending:   bus.Publish(p, volume.CreatePending),
		deferred:  bus.Publish(p, deferrals),
		manifests: bus.Publish(p, manifests),
		sweeps:    bus.Publish(p, sweeps),
		unfolds:   bus.Publish(p, unfoldeds),
		wants:     bus.Publish(p, wantings),
		waits:     bus.Publish(p, waitings),
		strays:    bus.Publish(p, strays),
		ledger:    bus.Publish(p, ledgers),

		read:         agent.Use(p, store.ReadBlob),
		removeBlob:   agent.Use(p, store.RemoveBlob),
		create:       agent.Use(p, store.CreateVolume),
		removeVolume: agent.Use(p, store.RemoveVolume),
	}
}

// maxRounds bounds how often a turn looks again because of what it did itself: what one gives back
// or takes, others may wait for.
const maxRounds = 64

// Step looks at what has changed, from content to volumes, until nothing follows from it any more.
func (a *volumemgr) Step(t *agent.Turn) {
	x := a.begin(t)
	for range maxRounds {
		a.findTrees(x)
		a.keepBlobs(x)
		a.stateTrees(x)
		a.keepVolumes(x)
		if !a.again(x) {
			break
		}
	}
	a.answerRefs(x)
	a.sweepOrphans(x)
	a.collectBlobs(x)
	a.mgr.Put(volume.VolumeMgrStatus{Name: "volumemgr", RemainingSpace: coarse(a.remaining(x)),
		Initialized: a.seenBlobs.Complete() && a.seenVolumes.Complete() &&
			a.space.Get(persist) != nil})
	a.complete()
	a.ledger.Put(x.ledger)
}

// complete declares the tables whole once everything configured was looked at.
func (a *volumemgr) complete() {
	if a.treeConfigs.Complete() && a.seenBlobs.Complete() && a.space.Get(persist) != nil {
		a.trees.Complete()
		a.blobs.Complete()
		a.resolves.Complete()
		if !a.downloads.IsComplete() && !a.unread() {
			a.downloads.Complete()
			a.verifies.Complete()
		}
	}
	if a.volumeConfigs.Complete() && a.seenVolumes.Complete() {
		a.volumes.Complete()
	}
	if a.refConfigs.Complete() {
		a.refs.Complete()
	}
}

// unread reports whether a tree is configured whose parts are not known yet: which blobs are wanted
// is not the whole truth.
func (a *volumemgr) unread() bool {
	for _, u := range a.unfolds.All() {
		if u.Unread {
			return true
		}
	}
	return false
}

// addKeys notes all rows of a table by their keys.
func addKeys[V bus.Row](w *agent.Work, t bus.Table[V]) {
	for key := range t.All() {
		w.Add(key)
	}
}
