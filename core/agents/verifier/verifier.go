package verifier

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// retryAfter is how long a disk that failed is left alone.
const retryAfter = time.Minute

type verifier struct {
	want   *bus.Sub[content.VerifyImageConfig]
	blobs  *bus.Sub[store.BlobSeen]
	status *bus.Pub[content.VerifyImageStatus]
	hash   *agent.Calls[store.VerifyReq, store.VerifyRes]
}

// New builds the agent.
func New(p bus.Port) agent.Agent {
	return &verifier{
		want:   bus.Subscribe(p, content.Verifies),
		blobs:  bus.Subscribe(p, store.Blobs),
		status: bus.Publish(p, content.VerifyStatuses),
		hash:   agent.Use(p, store.Verify),
	}
}

// Step brings the status of every blob that may have moved up to date.
func (a *verifier) Step(t *agent.Turn) {
	var w agent.Work
	agent.Keys(&w, a.want)
	agent.Keys(&w, a.blobs)
	w.Add(a.hash.Ended()...)
	w.Add(t.Due()...)
	if a.want.Moved() { // it may have become complete, which is when rows without a config go
		for sha := range a.status.All() {
			w.Add(sha)
		}
	}
	for _, sha := range w.All() {
		c := a.want.Get(sha)
		switch {
		case c == nil && a.want.Gone(sha):
			a.hash.Drop(sha)
			a.status.Delete(sha)
		case c == nil:
		case c.RefCount == 0:
			a.expire(c)
		default:
			a.verify(t, c)
		}
	}
}

// answer is the status of a config, with the error of the status before, so that an error that
// stays keeps its time.
func (a *verifier) answer(c *content.VerifyImageConfig) content.VerifyImageStatus {
	st := content.VerifyImageStatus{
		ImageSha256: c.ImageSha256, Of: a.want.Rev(c.ImageSha256), Name: c.Name,
		MediaType: c.MediaType, FileLocation: c.FileLocation, Size: c.Size,
		State: entity.VERIFYING, RefCount: c.RefCount,
	}
	if old := a.status.Get(c.ImageSha256); old != nil {
		st.ErrorAndTime = old.ErrorAndTime
	}
	return st
}

// expire stops and tells the consumer that it may let go.
func (a *verifier) expire(c *content.VerifyImageConfig) {
	a.hash.Drop(c.ImageSha256)
	st := a.answer(c)
	if old := a.status.Get(c.ImageSha256); old != nil {
		st.State = old.State
	}
	st.Expired = true
	a.status.Put(st)
}

// verify hashes unless the content store holds the blob.
func (a *verifier) verify(t *agent.Turn, c *content.VerifyImageConfig) {
	sha, st, wrong := c.ImageSha256, a.answer(c), entity.ErrorDescription{}
	switch {
	case a.blobs.Get(sha) != nil:
		a.hash.Drop(sha)
		st.State = entity.VERIFIED
	case !isSha256(sha):
		wrong.Error = "verify " + c.Name + ": " + sha + " is not a SHA-256"
	default:
		wrong = a.hashed(t, c, &st)
	}
	st.ErrorDescription.Set(wrong, t.Wall)
	a.status.Put(st)
}

// hashed asks for the hash and returns what is wrong.
func (a *verifier) hashed(t *agent.Turn, c *content.VerifyImageConfig,
	st *content.VerifyImageStatus) (wrong entity.ErrorDescription) {
	sha := c.ImageSha256
	call := a.hash.Want(sha, store.VerifyReq{Target: c.FileLocation, Sha256: sha})
	switch {
	case call.Phase == agent.Done:
		st.State, st.Size = entity.VERIFIED, call.Res.Size
	case call.Phase != agent.Failed:
	case call.Fault.Code == store.FaultCorrupt:
		wrong.Error = call.Fault.Text
		if !strings.Contains(wrong.Error, "configured") {
			wrong.Error += " configured " + sha
		}
	case !passing(call.Fault):
		wrong.Error = "verify " + c.Name + ": " + call.Fault.Text
	default:
		if again := call.Ended + retryAfter; t.Now < again {
			t.WakeAt(sha, again)
			wrong.Error = "verify " + c.Name + ": " + call.Fault.Text
			wrong.ErrorRetryCondition = "Will retry in " + retryAfter.String()
			break
		}
		a.hash.Redo(sha)
	}
	return wrong
}

// passing reports whether a fault may go away without anybody doing something. A file that is
// missing has to be downloaded again.
func passing(f *agent.Fault) bool {
	return f.Retry && f.Code != store.FaultMissing || f.Code == agent.FaultLimit ||
		f.Code == agent.FaultCancelled
}

// isSha256 guards paths: the name of a blob becomes the name of a file.
func isSha256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
