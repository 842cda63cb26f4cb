package metadata

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"

	"sigs.k8s.io/yaml"

	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// read answers with a document.
func (d *Desk) read(doc *device.Document, q *Request) Answer {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		return wrongMethod("GET, HEAD")
	}
	out := Answer{Code: doc.Code, Type: doc.Type, Body: []byte(doc.Body)}
	if doc.Fill == device.FillNone {
		return out
	}
	text, code := d.reveal(doc.Secret)
	if code != http.StatusOK {
		return plain(code)
	}
	if doc.Fill == device.FillText {
		out.Body = text
		return out
	}
	body, err := withKeys(doc.Body, text)
	if err != nil {
		return plain(http.StatusInternalServerError)
	}
	out.Body = body
	return out
}

// reveal is what a secret says, or the code of the answer without it.
func (d *Desk) reveal(text string) ([]byte, int) {
	if secret.Malformed(text) {
		return nil, http.StatusInternalServerError
	}
	if secret.Is(text) {
		value, ok := d.keeper.Value(text)
		if !ok {
			return nil, http.StatusServiceUnavailable // it comes with the next configuration
		}
		text = value
	}
	out, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, http.StatusInternalServerError
	}
	return out, http.StatusOK
}

// sshKey is a key as "keys" lists it.
type sshKey struct {
	Data string `json:"data"`
	Type string `json:"type"`
	Name string `json:"name"`
}

// withKeys adds the SSH keys of a cloud-config to a JSON object. What is no cloud-config has none.
func withKeys(object string, text []byte) ([]byte, error) {
	var cloud struct {
		Keys []string `json:"ssh_authorized_keys"`
	}
	if yaml.Unmarshal(text, &cloud) != nil {
		cloud.Keys = nil
	}
	out := map[string]any{}
	if err := json.Unmarshal([]byte(object), &out); err != nil {
		return nil, err
	}
	list, named := []sshKey{}, map[string]string{}
	for i, k := range cloud.Keys {
		x := sshKey{Data: k + "\n", Type: "ssh", Name: "key-" + strconv.Itoa(i)}
		list = append(list, x)
		named[x.Name] = x.Data
	}
	out["keys"], out["public_keys"] = list, named
	return json.Marshal(out)
}
