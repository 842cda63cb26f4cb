package downloader

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/web"
)

// challenge is what a registry wants to see, as its header WWW-Authenticate says.
type challenge struct {
	Realm   string // URL of the token server
	Service string
	Scope   string
	Basic   bool // the datastore's own credentials, no token
}

// access is what a registry accepted for a repository of a datastore.
type access struct {
	Place string
	Auth  string // value of Authorization, empty: nothing is needed
	Login bool   // the datastore's own credentials are
	Until time.Duration
}

// Key is the place: datastore and repository.
func (c access) Key() string { return c.Place }

// accesses is the memory of tokens. A token for a public image is no secret and lives minutes; the
// datastore's own credentials never are in here, they are a reference.
var accesses = bus.NewTopic[access](bus.Decl{Owner: "downloader", Name: "Access", Life: bus.Local})

func place(j *job, im image) string {
	s := j.Route.Datastore + " " + strings.ReplaceAll(im.Repo, "/", "!")
	return s[:min(len(s), 250)]
}

// challengeOf reads the header of an answer 401; Bearer is preferred.
func challengeOf(header []web.Header, repo string) (challenge, error) {
	var basic bool
	for _, h := range header {
		if !strings.EqualFold(h.Name, "Www-Authenticate") {
			continue
		}
		scheme, rest, _ := strings.Cut(strings.TrimSpace(h.Value), " ")
		switch strings.ToLower(scheme) {
		case "basic":
			basic = true
		case "bearer":
			c := challenge{}
			for name, value := range parameters(rest) {
				switch name {
				case "realm":
					c.Realm = value
				case "service":
					c.Service = value
				case "scope":
					c.Scope = value
				}
			}
			if c.Realm == "" {
				return c, fmt.Errorf("registry wants a token and does not say from where")
			}
			if c.Scope == "" {
				c.Scope = "repository:" + repo + ":pull"
			}
			return c, nil
		}
	}
	if basic {
		return challenge{Basic: true}, nil
	}
	return challenge{}, fmt.Errorf("registry wants a login and does not say which")
}

// parameters yields name and value of a list like a="b, c",d=e.
func parameters(s string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		for s != "" {
			name, rest, ok := strings.Cut(s, "=")
			if !ok {
				return
			}
			var value string
			if q, quoted := strings.CutPrefix(rest, `"`); quoted {
				value, rest, _ = strings.Cut(q, `"`)
			} else {
				value, rest, _ = strings.Cut(rest, ",")
				rest = "," + rest
			}
			if !yield(strings.ToLower(strings.TrimSpace(name)), value) {
				return
			}
			s = strings.TrimLeft(rest, ", ")
		}
	}
}

// url is where a token is asked for.
func (c challenge) url() string {
	q := url.Values{}
	if c.Service != "" {
		q.Set("service", c.Service)
	}
	q.Set("scope", c.Scope)
	sep := "?"
	if strings.Contains(c.Realm, "?") {
		sep = "&"
	}
	return c.Realm + sep + q.Encode()
}

// tokenOf reads a token server's answer: the token and how long it lasts.
func tokenOf(body []byte) (token string, lasts time.Duration, err error) {
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", 0, fmt.Errorf("read answer of token server: %w", err)
	}
	token = answer.Token
	if token == "" {
		token = answer.AccessToken
	}
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", 0, fmt.Errorf("token server gave no token")
	}
	lasts = time.Minute // the default of the protocol
	if answer.ExpiresIn > 0 {
		lasts = time.Duration(min(answer.ExpiresIn, 86400)) * time.Second
	}
	return token, lasts, nil
}
