package exchange

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// authorization is the value of the header that credentials become, empty without any.
func authorization(k *secret.Keeper, l *device.Login) (string, *agent.Fault) {
	if l.User == "" && l.Secret == "" {
		return "", nil
	}
	user, fault := value(k, l.User)
	if fault != nil {
		return "", fault
	}
	word, fault := value(k, l.Secret)
	if fault != nil {
		return "", fault
	}
	switch l.Auth {
	case device.AuthBearer:
		return "Bearer " + word, nil
	case device.AuthScheme:
		return user + " " + word, nil
	}
	return basic(user, word), nil
}

func basic(user, word string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+word))
}

// value is what a reference stands for.
func value(k *secret.Keeper, ref string) (string, *agent.Fault) {
	if ref == "" {
		return "", nil
	}
	v, ok := k.Value(ref)
	switch {
	case !ok:
		return "", &agent.Fault{Code: device.FaultSecret, Retry: true, Text: "the " +
			secret.Place(ref) + " is not known any more; it comes with the next configuration"}
	case strings.ContainsAny(v, "\r\n\x00"):
		return "", &agent.Fault{Code: device.FaultSecret, Retry: true, Text: "the " +
			secret.Place(ref) + " has a line break in it and cannot be sent"}
	}
	return v, nil
}

// login finds what the user of a URL stands for if it is a reference.
func login(k *secret.Keeper, u *url.URL) *agent.Fault {
	if u.User == nil {
		return nil
	}
	ref := u.User.Username()
	if p, ok := u.User.Password(); ok {
		ref += ":" + p
	}
	if !secret.Is(ref) {
		return nil
	}
	text, fault := value(k, ref)
	if fault != nil {
		return fault
	}
	x, err := url.Parse("http://" + text + "@x/")
	if err != nil {
		return &agent.Fault{Code: device.FaultSecret, Retry: true, Text: "the " + secret.Place(ref) +
			" has a user or password that is not written as in a URL"}
	}
	u.User = x.User
	return nil
}
