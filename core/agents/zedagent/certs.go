package zedagent

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/security"
)

const (
	certsKey   = "certs"
	certsRetry = 120 * time.Second // after a fetch that went wrong
)

// loadCerts takes the certificates of the checkpoint, or of its backup copy if it is damaged;
// then the checkpoint is healed. It reports whether that is over.
func (x *turn) loadCerts() bool {
	if x.a.certs.Len() > 0 || x.seen(certsFile) == nil && x.seen(certsFile+backup) == nil {
		return true
	}
	root, known := x.content(rootFile)
	if !known {
		return false
	}
	for _, path := range []string{certsFile, certsFile + backup} {
		body, known := x.content(path)
		if !known {
			return false
		}
		if len(body) == 0 {
			continue
		}
		cc, err := eveapi.ParseControllerCerts(body, root, x.t.Wall,
			eveapi.CertOptions{Checkpointed: true})
		if err == nil {
			_, err = x.takeCerts(cc.Body)
		}
		if err == nil {
			if path != certsFile {
				x.w.Certs.Body = cc.Body
			}
			return true
		}
		x.log(agent.Warn, path+": "+err.Error())
	}
	return true
}

// takeCerts publishes a list of certificates that was validated; it replaces the one before. news
// reports whether a certificate is in it that was not.
func (x *turn) takeCerts(body []byte) (news bool, err error) {
	rows, err := eveapi.CertRows(body)
	if err != nil {
		return false, err
	}
	x.a.certs.Keep(func(key string) bool {
		return slices.ContainsFunc(rows, func(c security.ControllerCert) bool {
			return c.Key() == key
		})
	})
	for _, row := range rows {
		news = news || x.a.certs.Get(row.Key()) == nil
		x.a.certs.Put(row)
	}
	return news, nil
}

// keepCerts fetches the certificates: once after the start, on a trigger, and on schedule.
func (x *turn) keepCerts() {
	x.saveCerts()
	if !x.onboarded() || x.a.net.Len() == 0 {
		return
	}
	x.adoptCerts()
	if x.w.Certs.Asking {
		res := x.a.conn.Get(x.t, certsKey)
		if !res.Over() && res.Phase != agent.None || !x.fetchedCerts(&res) {
			return
		}
	}
	if !x.certsDue() {
		x.t.WakeAt(certsKey, x.w.Certs.Next)
		return
	}
	x.w.Certs.Asking, x.w.Certs.Due = true, false
	x.w.Certs.Asked++
	x.t.Unwake(certsKey)
	res := x.a.conn.Want(x.t, certsKey, controllerconn.Request{Endpoint: eveapi.Certs})
	x.moved = x.moved || res.Over() // at once, for want of a port
}

// certsDue reports whether the certificates are to be fetched now.
func (x *turn) certsDue() bool {
	c := &x.w.Certs
	every := x.settings().Seconds(config.CertInterval)
	if c.Interval != every && c.Done && !c.Failed {
		c.Interval = every
		c.Next = x.t.Now + x.draw("certs", c.Asked, every)
	}
	return c.Due && !c.Failed || x.t.Now >= c.Next
}

// adoptCerts takes what zedclient fetched in this boot, so that it need not be fetched twice.
func (x *turn) adoptCerts() {
	c := &x.w.Certs
	if c.Done || c.Asking || !x.a.lent.Complete() || x.a.lent.Len() == 0 {
		return
	}
	x.a.certs.Keep(func(key string) bool { return x.a.lent.Get(key) != nil })
	for _, row := range x.a.lent.All() {
		x.a.certs.Put(*row)
	}
	c.Done, c.Failed = true, false // whatever became of a fetch before
	c.Interval = x.settings().Seconds(config.CertInterval)
	c.Next = x.t.Now + x.draw("certs", c.Asked, c.Interval)
	x.a.certs.Complete()
}

// fetchedCerts ends a fetch, unless the root certificate is still being read.
func (x *turn) fetchedCerts(res *controllerconn.Result) bool {
	c := &x.w.Certs
	root, known := x.content(rootFile)
	if !known {
		return false
	}
	x.moved = true
	news, err := x.openCerts(res, root)
	x.a.conn.Drop(x.t, certsKey)
	x.forget(rootFile)
	c.Asking, c.Failed = false, err != nil
	if err != nil {
		x.log(agent.Warn, "fetch certificates of the controller: "+err.Error())
		c.Next = x.t.Now + certsRetry
		return true
	}
	c.Done = true
	x.a.certs.Complete()
	c.Interval = x.settings().Seconds(config.CertInterval)
	c.Next = x.t.Now + x.draw("certs", c.Asked, c.Interval)
	if news && x.w.Status == controllerconn.StatusCertMiss && !x.w.Asking {
		x.w.Next = x.t.Now // what was refused for a lack of certificates may be good now
	}
	return true
}

// openCerts takes the answer to a fetch.
func (x *turn) openCerts(res *controllerconn.Result, root []byte) (news bool, err error) {
	if res.Code != 200 || len(res.Payload) == 0 {
		return false, errors.New(cmp.Or(res.Error(), "there is no list in the answer"))
	}
	cc, err := eveapi.OpenControllerCerts(res.Payload, root, x.t.Wall, eveapi.CertOptions{})
	if err != nil {
		return false, err
	}
	if news, err = x.takeCerts(cc.Body); err == nil {
		x.w.Certs.Body = cc.Body
	}
	return news, err
}

// saveCerts writes the list that is to be saved into the checkpoint, unless the set is what is
// there already; the first save makes the backup, too.
func (x *turn) saveCerts() {
	c := &x.w.Certs
	if c.Body == nil || !x.a.files.Complete() {
		return
	}
	path := certsFile
	if f := x.seen(certsFile); f != nil && f.Sha256 == shaOf(c.Body) {
		if path = certsFile + backup; x.seen(path) != nil {
			x.a.write.Drop(keyOf(certsFile))
			x.a.write.Drop(keyOf(path))
			c.Body = nil
			return
		}
	}
	req := store.WriteReq{Path: path, Data: c.Body, Backup: path == certsFile && x.seen(path) != nil}
	x.put(req)
}

func (x *turn) onboarded() bool { return x.uuid() != "" }

// uuid is what the controller calls the device, empty before it is onboarded.
func (x *turn) uuid() string {
	if w := x.a.who.Get(entity.Global); w != nil {
		return w.DeviceUUID
	}
	return ""
}
