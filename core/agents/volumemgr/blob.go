package volumemgr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Sources of errors.
const (
	fromBlob     = "BlobStatus"
	fromDownload = "DownloaderStatus"
	fromVerify   = "VerifyImageStatus"
	fromDisk     = "DiskMetric"
)

// whenSpace is the retry condition of what does not fit on the disk.
const whenSpace = "Will retry when more space will be available"

// keepBlobs moves blobs on that are wanted and lets go of all others.
func (a *volumemgr) keepBlobs(x *pass) {
	for _, sha := range take(&x.blobs) {
		u := a.useOf(sha)
		if u == nil {
			a.manifests.Delete(sha)
			a.read.Drop(sha)
		}
		if !a.seenBlobs.Complete() {
			continue // what is missing may be there
		}
		if u != nil {
			a.strays.Delete(stray{strayBlob, sha}.Key())
			a.keepBlob(x, u)
		} else {
			a.releaseBlob(x, sha)
		}
	}
}

// releaseBlob lets go of a blob that nobody wants.
func (a *volumemgr) releaseBlob(x *pass, sha string) {
	a.waitFor(sha, "")
	if a.seenBlobs.Get(sha) == nil {
		a.strays.Delete(stray{strayBlob, sha}.Key())
	} else {
		a.strays.Put(stray{strayBlob, sha})
	}
	b := a.blobs.Get(sha)
	if b == nil || !a.treeConfigs.Complete() {
		return
	}
	if a.letGo(sha) && a.seenBlobs.Get(sha) == nil {
		a.dropBlob(x, sha)
		return
	}
	st := *b
	st.RefCount = 0
	st.HasDownloaderRef = a.downloads.Get(sha) != nil
	st.HasVerifierRef = a.verifies.Get(sha) != nil
	a.putBlob(x, &st)
}

// waitFor notes what a blob waits for, empty for nothing.
func (a *volumemgr) waitFor(sha, what string) {
	for _, kind := range [...]string{blobForTurn, blobForSpace} {
		if kind == what {
			a.waits.Put(waiting{kind, sha})
		} else {
			a.waits.Delete(kind + sha)
		}
	}
}

// keepBlob moves one blob on.
func (a *volumemgr) keepBlob(x *pass, u *use) {
	st := content.BlobStatus{Sha256: u.Sha, State: entity.INITIAL, CreateTime: x.Wall}
	wait := ""
	if old := a.blobs.Get(u.Sha); old != nil {
		st = *old
	} else {
		// What is left of an earlier life is released before a new one begins.
		st.Discarding = a.downloads.Get(u.Sha) != nil || a.fetched.Get(u.Sha) != nil
	}
	st.DatastoreIDList, st.RelativeURL, st.RefCount = u.Datastores, u.Name, u.Count
	if u.MediaType != "" {
		st.MediaType = u.MediaType
	}
	if u.Size > 0 {
		st.Size = uint64(u.Size)
	}
	if seen := a.seenBlobs.Get(u.Sha); seen != nil {
		st.State, st.Size, st.Discarding = entity.LOADED, uint64(seen.Size), false
		st.CurrentSize, st.TotalSize, st.Progress = seen.Size, seen.Size, 100
		st.ErrorAndTimeWithSource = entity.ErrorAndTimeWithSource{}
		// There is no file left that a new reference could save, so nobody has to be asked.
		a.verifies.Delete(u.Sha)
		a.downloads.Delete(u.Sha)
	} else {
		wait = a.bring(x, u, &st)
	}
	a.waitFor(u.Sha, wait)
	st.HasDownloaderRef = a.downloads.Get(u.Sha) != nil
	st.HasVerifierRef = a.verifies.Get(u.Sha) != nil
	a.putBlob(x, &st)
}

// bring has a blob downloaded and verified; what proves wrong is thrown away and fetched again, as
// often as the settings allow. It returns what the blob waits for.
func (a *volumemgr) bring(x *pass, u *use, st *content.BlobStatus) (wait string) {
	if st.State == entity.LOADED { // the disk lost it
		st.State, st.CurrentSize, st.Progress = entity.INITIAL, 0, 0
	}
	if v := a.verified.Get(u.Sha); v != nil && !st.Discarding && v.HasError() &&
		v.ErrorRetryCondition == "" && v.Of == a.verifies.Rev(u.Sha) {
		st.RetryCount++
		st.Discarding = true
		st.SetFrom(fromVerify, v.ErrorDescription, x.Wall)
	}
	if st.Discarding && !a.letGo(u.Sha) {
		return ""
	}
	st.Discarding = false
	if st.RetryCount > int(x.items.Uint(config.BlobDownloadMaxRetries)) {
		return "" // given up: the error of the last hash stays
	}
	if !a.ask(x, u, st) {
		if st.HasError() && st.ErrorSourceType == fromDisk {
			return blobForSpace
		}
		return blobForTurn
	}
	if d := a.fetched.Get(u.Sha); d == nil || d.Of != a.downloads.Rev(u.Sha) || d.Expired {
		st.State = max(st.State, entity.DOWNLOADING)
	} else {
		a.follow(x, u, st, d)
	}
	return ""
}

// maxDownloads bounds what is asked of the downloader at once; the rest waits.
const maxDownloads = 64

// ask wants the blob from the downloader if there is space for it.
func (a *volumemgr) ask(x *pass, u *use, st *content.BlobStatus) bool {
	old := a.downloads.Get(u.Sha)
	if old == nil || old.RefCount == 0 {
		if old == nil && a.downloads.Len() >= maxDownloads {
			return false
		}
		if a.space.Get(persist) == nil {
			return false
		}
		left := a.remaining(x)
		if st.Size > left && !x.items.Bool(config.IgnoreDiskCheck) {
			st.State = entity.INITIAL
			st.SetFrom(fromDisk, entity.ErrorDescription{
				Error:               fmt.Sprintf("Remaining disk space %d blob needs %d", left, st.Size),
				ErrorRetryCondition: whenSpace}, x.Wall)
			return false
		}
	}
	st.ClearFrom(fromDisk)
	a.downloads.Put(content.DownloaderConfig{ImageSha256: u.Sha, DatastoreIDList: u.Datastores,
		Name: u.Name, MediaType: u.MediaType, Size: u.Max, RefCount: 1, Target: targetOf(u),
		NameIsURL: strings.Contains(u.Name, "://")})
	return true
}

// follow takes over what downloader and verifier say.
func (a *volumemgr) follow(x *pass, u *use, st *content.BlobStatus, d *content.DownloaderStatus) {
	st.State = max(st.State, d.State)
	st.CurrentSize, st.TotalSize, st.Progress = d.CurrentSize, d.TotalSize, d.Progress
	if st.TotalSize == 0 {
		st.TotalSize = u.Size
	}
	if d.HasError() {
		st.SetFrom(fromDownload, d.ErrorDescription, x.Wall)
	} else {
		st.ClearFrom(fromDownload)
	}
	if d.State < entity.DOWNLOADED {
		st.State = entity.DOWNLOADING // it was begun anew
		return
	}
	a.verifies.Put(content.VerifyImageConfig{ImageSha256: u.Sha, Name: u.Name,
		MediaType: st.MediaType, FileLocation: d.Target, Size: d.TotalSize, RefCount: 1})
	st.State = max(st.State, entity.VERIFYING)
	v := a.verified.Get(u.Sha)
	if v == nil || v.Of != a.verifies.Rev(u.Sha) {
		return
	}
	if v.State == entity.VERIFIED {
		st.State = entity.VERIFIED // loaded as soon as the content store shows it
	}
	if v.HasError() {
		st.SetFrom(fromVerify, v.ErrorDescription, x.Wall)
	} else if v.State == entity.VERIFIED {
		st.ClearFrom(fromVerify)
	}
}

// letGo releases a blob from the verifier and then from the downloader, and reports whether nothing
// of it is left with them.
func (a *volumemgr) letGo(sha string) (gone bool) {
	if c := a.verifies.Get(sha); c != nil {
		n := *c
		n.RefCount, n.Expired = 0, true
		a.verifies.Put(n)
		if st := a.verified.Get(sha); st != nil && st.Expired && st.Of == a.verifies.Rev(sha) {
			a.verifies.Delete(sha)
		}
		return false
	}
	if a.verified.Get(sha) != nil {
		return false
	}
	if c := a.downloads.Get(sha); c != nil {
		n := *c
		n.RefCount = 0
		a.downloads.Put(n)
		if st := a.fetched.Get(sha); st != nil && st.Expired && st.Of == a.downloads.Rev(sha) {
			a.downloads.Delete(sha)
		}
		return false
	}
	return a.fetched.Get(sha) == nil
}

// targetOf names the partial file of a blob by where it comes from.
func targetOf(u *use) string {
	h := sha256.Sum256([]byte(strings.Join(u.Datastores, "+") + u.Name +
		strconv.FormatUint(u.Max, 10)))
	return hex.EncodeToString(h[:]) + "." + u.Sha
}
