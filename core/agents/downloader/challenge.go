package downloader

import (
	"encoding/json"
	"errors"
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
	Token string // reference of a token, empty: none is needed
	Login bool   // the datastore's own credentials are
	Until time.Duration
}

// Key is the place: datastore and repository.
func (c access) Key() string { return c.Place }

// accesses is the memory of what registries let in: references, the part has what they stand for.
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

// tokenOf reads a token server's answer: the reference of the token and how long it lasts.
func tokenOf(res *web.SendRes) (token string, lasts time.Duration, err error) {
	switch {
	case res.Kept == nil:
		return "", 0, errors.New("token server gave no token")
	case res.Kept.Unread != "":
		return "", 0, errors.New(res.Kept.Unread)
	}
	var answer struct {
		ExpiresIn int `json:"expires_in"`
	}
	lasts = time.Minute // the default of the protocol
	if len(res.Body) > 0 {
		if err := json.Unmarshal(res.Body, &answer); err != nil {
			return "", 0, fmt.Errorf("read answer of token server: %w", err)
		}
	}
	if answer.ExpiresIn > 0 {
		lasts = time.Duration(min(answer.ExpiresIn, 86400)) * time.Second
	}
	return res.Kept.Token, lasts, nil
}
