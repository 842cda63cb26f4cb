package controllersim

import (
	"net/http"
	"strings"

	"github.com/evetwin/evetwin/core/eveapi"
)

// config answers with the device's configuration, or with 304 and no body if the device has it. The
// configuration was serialized when it was set; each answer is signed afresh.
func (x *exchange) config() reply {
	have, _, err := eveapi.ParseConfigRequest(x.envelope.Payload)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	raw, hash, _ := x.device.ConfigBytes()
	certs := x.id.certsHash
	if x.trouble.has(FaultNotModified) || sameConfig(have, hash, certs) {
		return reply{Response: Response{Code: http.StatusNotModified}}
	}
	return x.signed(http.StatusOK, eveapi.ConfigResponseBody(raw, certs, configHash(hash, certs)))
}

// configHash joins the hash of a configuration and that of the certificates, since either changes
// what the device is to be told.
func configHash(hash, certs string) string { return hash + "." + certs }

// sameConfig tells whether have is configHash(hash, certs), without building it.
func sameConfig(have, hash, certs string) bool {
	rest, ok := strings.CutPrefix(have, hash)
	return ok && len(rest) == len(certs)+1 && rest[0] == '.' && rest[1:] == certs
}
