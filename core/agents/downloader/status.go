package downloader

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// publish says how far a download is. Without a job the file is whole, or was whole and was handed
// over to the verifier. What was fetched never shrinks while the order is the same.
func (a *downloader) publish(t *agent.Turn, c *content.DownloaderConfig, j *job,
	seen *web.PartialSeen) {
	st := content.DownloaderStatus{ImageSha256: c.ImageSha256, Of: a.want.Rev(c.ImageSha256),
		Name: c.Name, Target: c.Target, State: entity.DOWNLOADING}
	old := a.status.Get(c.ImageSha256)
	if old != nil && old.Target == c.Target {
		st.TotalSize, st.CurrentSize, st.Progress = old.TotalSize, old.CurrentSize, old.Progress
		st.ContentType, st.LastUse, st.LastRetry = old.ContentType, old.LastUse, old.LastRetry
		st.RetryCount, st.OrigError = old.RetryCount, old.OrigError
		st.ErrorAndTime = old.ErrorAndTime
	}
	if seen != nil {
		st.TotalSize = max(st.TotalSize, seen.Size)
		st.CurrentSize = max(st.CurrentSize, seen.Have)
	}
	if j == nil {
		st.State, st.Progress, st.TotalSize = entity.DOWNLOADED, 100, st.CurrentSize
		if typ := a.arrived(t, c.ImageSha256); typ != "" {
			st.ContentType = typ
		}
		st.OrigError = ""
		st.ErrorDescription.Set(permanent(""), t.Wall)
	} else {
		st.Port, st.RetryCount = j.Route.Label, j.Count
		if !j.LastRetry.IsZero() {
			st.LastRetry = j.LastRetry
		}
		wrong := trouble(j, st.OrigError)
		st.OrigError = join(j, st.OrigError)
		st.ErrorDescription.Set(wrong, t.Wall)
		if st.TotalSize > 0 {
			st.Progress = uint8(min(99, 100*st.CurrentSize/st.TotalSize))
		}
	}
	if old == nil || old.State != st.State {
		st.LastUse = t.Wall
	}
	a.status.Put(st)
}

// expire tells the consumer that it may let go.
func (a *downloader) expire(t *agent.Turn, c *content.DownloaderConfig) {
	st := content.DownloaderStatus{ImageSha256: c.ImageSha256, Name: c.Name, Target: c.Target,
		State: entity.DOWNLOADING, LastUse: t.Wall}
	if old := a.status.Get(c.ImageSha256); old != nil {
		st = *old
	}
	st.Of, st.Expired, st.Port = a.want.Rev(c.ImageSha256), true, ""
	a.status.Put(st)
}
