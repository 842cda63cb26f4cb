package zedagent

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

// writeAgain is when a write that failed is tried again.
const writeAgain = time.Minute

// readSaved applies the saved configuration once the controller was found out of reach. After a
// boot that a configuration may have caused it takes the backup, which is older and has run for a
// while.
func (x *turn) readSaved() {
	if !x.w.Reading {
		return
	}
	path := configFile
	if x.w.Backup || !x.nodeStatus().BootReason.StartsFromSaved() {
		path += backup
	}
	file, known := x.whole(path)
	if !known {
		return
	}
	cfg := x.openSaved(path, file)
	if cfg == nil && path == configFile {
		x.w.Backup = true // damaged: the backup will do, and heals it
		x.forget(configFile)
		x.readSaved()
		return
	}
	x.w.Reading = false
	x.forget(configFile, configFile+backup)
	if plant.On(plant.OldConfigRefused) && cfg != nil &&
		x.t.Wall.Sub(cfg.GetConfigTimestamp().AsTime()) > 7*24*time.Hour {
		return
	}
	if cfg == nil {
		return
	}
	if x.w.Backup {
		x.a.write.Want(keyOf(configFile), store.WriteReq{Path: configFile, Kept: file.Kept.Sha256})
	}
	x.apply(cfg, fromSaved)
	x.s.GotSaved = true
	x.s.GetStatus = node.ConfigGetReadSaved
}

// checkpoint notes an answer that was applied, to be saved as it came: the part that kept it back
// has the bytes.
func (x *turn) checkpoint(kept *security.Kept) {
	if kept == nil {
		return
	}
	sum := kept.Sha256
	if x.w.Saved != sum {
		x.w.Saved, x.w.SavedAt = sum, x.t.Now
	}
	if f := x.seen(configFile); f != nil && f.Sha256 == sum {
		x.a.write.Drop(keyOf(configFile))
		return
	}
	x.a.write.Want(keyOf(configFile), store.WriteReq{Path: configFile, Kept: sum})
}

// keepCheckpoint sees writes of the configuration through, and copies it to the backup: at once if
// there is none, else when it has run for timer.test.baseimage.update.
func (x *turn) keepCheckpoint() {
	x.finish(configFile)
	x.finish(configFile + backup)
	now := x.seen(configFile)
	if now == nil || now.Sha256 != x.w.Saved {
		return
	}
	old := x.seen(configFile + backup)
	if old != nil && old.Sha256 == now.Sha256 || !x.a.files.Complete() {
		return
	}
	due := x.w.SavedAt + x.settings().Seconds(config.TestBaseimageUpdate)
	if old != nil && x.t.Now < due {
		x.t.WakeAt("backup", due)
		return
	}
	if x.a.write.Get(keyOf(configFile+backup)).Phase == agent.None {
		x.a.write.Want(keyOf(configFile+backup),
			store.WriteReq{Path: configFile + backup, Kept: now.Sha256})
	}
}

// finish drops a write that is done and repeats one that failed.
func (x *turn) finish(path string) {
	key := keyOf(path)
	switch call := x.a.write.Get(key); call.Phase {
	case agent.Done:
		x.a.write.Drop(key)
	case agent.Failed:
		if path == configFile && call.Fault.Code == store.FaultMissing {
			x.a.write.Drop(key)
			x.w.Hash = "" // the controller has the bytes that nobody here has any more
			return
		}
		if again := call.Ended + writeAgain; x.t.Now < again {
			x.t.WakeAt("write/"+path, again)
		} else {
			x.log(agent.Err, "write "+path+": "+call.Fault.Text)
			x.a.write.Redo(key)
		}
	}
}

// put makes sure that a file is written; a write that fails is tried again.
func (x *turn) put(req store.WriteReq) {
	x.a.write.Want(keyOf(req.Path), req)
	x.finish(req.Path)
}

func shaOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
