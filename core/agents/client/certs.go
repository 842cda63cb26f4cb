package client

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

// fetchCerts takes a round past the controller's certificates: fetched once per boot and server,
// and saved, or tried to be.
func (a *client) fetchCerts(t *agent.Turn, r *run) {
	if !r.Certs {
		res := a.conn.Want(t, stepCerts, controllerconn.Request{Endpoint: eveapi.Certs})
		if !res.Over() {
			return
		}
		text := a.takeCerts(t, r, &res)
		a.conn.Drop(t, stepCerts)
		if text != "" {
			a.fail(t, r, text)
			return
		}
	}
	if a.saveCerts(t) {
		r.Step = stepRegister
	}
}

// takeCerts verifies what was fetched and publishes it; otherwise it says what is wrong.
func (a *client) takeCerts(t *agent.Turn, r *run, res *controllerconn.Result) string {
	if !res.OK() || len(res.Payload) == 0 {
		if res.Status == controllerconn.StatusNoTLS {
			a.light(t, node.LedResponseWithoutTLS)
		}
		switch res.LastCode {
		case 400, 401, 404, 501:
			return "the controller does not speak version 2 of the API: it answered " +
				strconv.Itoa(res.LastCode)
		}
		if res.OK() {
			return "the controller sent no certificates"
		}
		return res.Error()
	}
	root, _ := a.root.Read(t)
	cc, err := eveapi.OpenControllerCerts(res.Payload, root, t.Wall, eveapi.CertOptions{})
	if err != nil {
		a.light(t, node.LedInvalidCert)
		return "certificates of the controller: " + err.Error()
	}
	rows, err := eveapi.CertRows(cc.Body)
	if err != nil {
		a.light(t, node.LedInvalidCert)
		return "certificates of the controller: " + err.Error()
	}
	for _, row := range rows {
		a.certs.Put(row)
	}
	a.certs.Keep(func(key string) bool {
		return slices.ContainsFunc(rows, func(c security.ControllerCert) bool { return c.Key() == key })
	})
	a.certs.Complete()
	a.chains.Put(chain{Body: cc.Body})
	r.Certs = true
	return ""
}

// saveCerts writes the fetched certificates into the checkpoint if their set differs from what is
// there, and reports whether that is over. The first save makes the backup, too. A disk that does
// not take them does not keep the device from onboarding.
func (a *client) saveCerts(t *agent.Turn) bool {
	c := a.chains.Get("chain")
	if c == nil || c.Saved {
		return true
	}
	if a.saved.Seen() == nil && !a.files.Complete() {
		return false
	}
	equal, known := a.sameCerts(t, c.Body)
	if !known {
		return false
	}
	backup := certsFile + ".bak"
	over := true
	if !equal {
		over = a.put(t, certsFile, c.Body, a.saved.Exists())
	}
	if over && a.files.Get(store.FileKey(backup)) == nil {
		over = a.put(t, backup, c.Body, false)
	}
	if !over {
		return false
	}
	a.write.Drop(store.FileKey(certsFile))
	a.write.Drop(store.FileKey(backup))
	a.chains.Put(chain{Body: c.Body, Saved: true})
	return true
}

// put writes a file and reports whether the call is over, well or not.
func (a *client) put(t *agent.Turn, path string, data []byte, backup bool) bool {
	call := a.write.Want(store.FileKey(path), store.WriteReq{Path: path, Data: data, Backup: backup})
	if call.Phase == agent.Failed {
		t.Log(agent.Err, "", "save "+path+": "+call.Fault.Text)
	}
	return call.Over()
}

// sameCerts compares the checkpoint with fetched certificates: some controllers list them in
// another order each time, so the sets of hashes count. known is false while the file is being
// read.
func (a *client) sameCerts(t *agent.Turn, body []byte) (equal, known bool) {
	row := a.saved.Seen()
	if row == nil {
		return false, true
	}
	sum := sha256.Sum256(body)
	if row.Sha256 == hex.EncodeToString(sum[:]) {
		return true, true
	}
	if a.write.Get(store.FileKey(certsFile)).Phase != agent.None {
		return false, true // found to differ; the file may be changing under us
	}
	data, state := a.saved.Read(t)
	if state == controllerconn.FileUnknown {
		return false, false
	}
	return slices.Equal(hashes(data), hashes(body)), true
}

// hashes lists the hashes of a certificate list in order, nil if it does not parse.
func hashes(body []byte) []string {
	rows, err := eveapi.CertRows(body)
	if err != nil {
		return nil
	}
	var out []string
	for _, row := range rows {
		out = append(out, row.CertHash)
	}
	slices.Sort(out)
	return out
}
