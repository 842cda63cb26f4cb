package exchange

import (
	"slices"

	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/topics/security"
)

// Keep takes out of an answer what no agent may see.
func Keep(k *secret.Keeper, q *device.SendReq, res *device.SendRes) {
	if q.Keep == "" {
		return
	}
	res.Header = slices.DeleteFunc(slices.Clone(res.Header), func(h device.Header) bool {
		return h.Name == "Set-Cookie"
	})
	body := res.Body
	if len(body) == 0 {
		return
	}
	res.Body = nil
	switch {
	case q.Keep == device.KeepConfig && res.Code >= 200 && res.Code < 300:
		res.Body, res.Kept = k.Answer(body)
	case q.Keep == device.KeepToken && res.Code == 200:
		res.Body, res.Kept = k.Token(body, q.URL, q.Login.User, q.Login.Secret)
	default:
		res.Kept = &security.Kept{Size: int64(len(body))}
	}
}
