package downloader

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/content"
)

// openFor is how long a registry that wanted to see nothing is taken to want nothing.
const openFor = time.Hour

// maxManifest bounds what is read of a manifest to compute its digest.
const maxManifest = 4 << 20

// probe asks for the head of the manifest: it tells the digest of a tag, whether a blob is a
// manifest, and what the registry wants to see.
func (a *downloader) probe(t *agent.Turn, j *job) (moved bool) {
	ds := a.datastores.Get(j.Route.Datastore)
	im := imageOf(ds, j.Order.Name)
	req := web.SendReq{Via: j.Route.Via, Method: "HEAD", URL: im.manifest(j.Order.Sha),
		Header: headers(true), TLS: web.TLSWeb, MaxBody: maxManifest, Login: a.login(j, ds)}
	if j.Read {
		req.Method = "GET"
	}
	call := a.send.Want(j.Item, req)
	if !call.Over() {
		return false
	}
	a.send.Drop(j.Item)
	a.count(t, j, req.URL, call.Phase == agent.Done, size(call), call.Ended-call.Began)
	if call.Phase == agent.Failed {
		a.fail(j, call.Fault.Text)
		return true
	}
	a.probed(t, j, im, call.Res)
	return true
}

// probed draws the conclusion from the answer to a probe.
func (a *downloader) probed(t *agent.Turn, j *job, im image, res *web.SendRes) {
	if res.Code == 401 {
		c, err := challengeOf(res.Header, im.Repo)
		switch {
		case j.Renewed:
			a.fail(j, "registry refuses the login")
		case err != nil:
			a.fail(j, err.Error())
		case c.Basic:
			j.Login, j.Renewed = true, true
		default:
			j.Challenge, j.Step = c, stepToken
		}
		return
	}
	missing := res.Code == 400 || res.Code == 404 || res.Code == 405 || res.Code == 406
	if res.Code != 200 && !(missing && j.Order.Sha != "") {
		a.fail(j, fmt.Sprintf("registry answered %d", res.Code))
		return
	}
	where := place(j, im)
	if known := a.access.Get(where); known == nil || known.Until <= t.Now {
		a.access.Put(access{Place: where, Token: j.Token, Login: j.Login, Until: t.Now + openFor})
	}
	if j.Order.Sha != "" {
		j.Step, j.Blob = stepFetch, missing
		return
	}
	digest, ok := strings.CutPrefix(res.Get("Docker-Content-Digest"), "sha256:")
	switch {
	case ok && len(digest) == 64:
		j.Result, j.Step = strings.ToLower(digest), stepDone
	case j.Read:
		sum := sha256.Sum256(res.Body)
		j.Result, j.Step = hex.EncodeToString(sum[:]), stepDone
	default:
		j.Read = true
	}
}

// token asks the server that the registry named for a token.
func (a *downloader) token(t *agent.Turn, j *job) (moved bool) {
	ds := a.datastores.Get(j.Route.Datastore)
	req := web.SendReq{Via: j.Route.Via, Method: "GET", URL: j.Challenge.url(), TLS: web.TLSWeb,
		MaxBody: 1 << 20, Keep: web.KeepToken}
	im := imageOf(ds, j.Order.Name)
	if strings.HasPrefix(im.Base, "http://") || a.trusts(j, j.Challenge.Realm) {
		req.Login = web.Login{User: ds.ApiKey, Secret: ds.Password}
	}
	call := a.send.Want(j.Item, req)
	if !call.Over() {
		return false
	}
	a.send.Drop(j.Item)
	a.count(t, j, req.URL, call.Phase == agent.Done, size(call), call.Ended-call.Began)
	switch {
	case call.Phase == agent.Failed:
		a.fail(j, "ask for a token: "+call.Fault.Text)
	case call.Res.Code != 200:
		a.fail(j, fmt.Sprintf("token server answered %d", call.Res.Code))
	default:
		token, lasts, err := tokenOf(call.Res)
		if err != nil {
			a.fail(j, err.Error())
			break
		}
		j.Token, j.Renewed, j.Step = token, true, stepProbe
		where := place(j, im)
		a.access.Put(access{Place: where, Token: token, Until: t.Now + lasts})
	}
	return true
}

// headers of a request to a registry.
func headers(manifest bool) []web.Header {
	if manifest {
		return []web.Header{accept()}
	}
	return nil
}

func size(c agent.Call[web.SendRes]) int64 {
	if c.Res == nil {
		return 0
	}
	return int64(c.Res.Received())
}

// resolve moves one tag on. A name that carries a digest is answered without network.
func (a *downloader) resolve(t *agent.Turn, key string) {
	c := a.tags.Get(key)
	st := content.ResolveStatus{DatastoreID: c.DatastoreID, Name: c.Name, Counter: c.Counter,
		Of: a.tags.Rev(key)}
	old := a.resolved.Get(key)
	if old != nil {
		st.ErrorAndTime = old.ErrorAndTime
	}
	switch im := imageOf(&content.DatastoreConfig{}, c.Name); {
	case len(im.Hash) == 64:
		st.ImageSha256 = im.Hash
	case old != nil && old.ImageSha256 != "" && old.Name == c.Name:
		st.ImageSha256 = old.ImageSha256
	default:
		j := a.job(key, order{Name: c.Name, Datastores: []string{c.DatastoreID}})
		if ds := a.datastores.Get(c.DatastoreID); ds != nil && a.unusable(ds.UUID, ds) == "" &&
			ds.DsType != content.DsContainerRegistry {
			st.ErrorDescription.Set(permanent("datastore type "+ds.DsType+" has no tags"), t.Wall)
			a.resolved.Put(st)
			return
		}
		a.drive(t, &j)
		a.jobs.Put(j)
		st.ImageSha256, st.RetryCount = j.Result, j.Count
		wrong := trouble(&j, origin(old))
		st.OrigError = join(&j, origin(old))
		st.ErrorDescription.Set(wrong, t.Wall)
	}
	if st.ImageSha256 != "" {
		a.forget(key)
		st.OrigError, st.RetryCount = "", 0
		st.ErrorDescription.Set(permanent(""), t.Wall)
	}
	a.resolved.Put(st)
}

func origin(old *content.ResolveStatus) string {
	if old == nil {
		return ""
	}
	return old.OrigError
}
