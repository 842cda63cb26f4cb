package data

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Guard is what a server wants to see before it hands anything out. The zero Guard lets everybody
// in.
type Guard struct {
	// Files is the header Authorization that files want, such as "Bearer sesame"; empty: none.
	Files string
	// User and Password are those of the registry; an empty Password: none.
	User, Password string
	// Realm is the URL of the registry's token server, whose path TokenPath this store answers itself.
	// Empty: the registry takes user and password.
	Realm string
	// Token is what tokens begin with, so that they can be told from all else.
	Token string
	// Lasts is how long a token is good; 0: 5 minutes.
	Lasts time.Duration
}

// TokenPath is the path of the token server of a store with a Guard.
const TokenPath = "/token"

// Guard has the server ask for credentials from now on. Tokens that it gave out are void.
func (s *Store) Guard(g Guard) {
	if g.Lasts == 0 {
		g.Lasts = 5 * time.Minute
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guard, s.tokens = g, map[string]time.Time{}
}

// Tokens counts the tokens that the server has given out since the Guard was set.
func (s *Store) Tokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tokens)
}

// refuse answers a request that shows too little, and those for tokens; nil lets it in.
func (s *Store) refuse(req Request) *Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, shown := s.guard, req.Header.Get("Authorization")
	image := req.Path == "/v2" || strings.HasPrefix(req.Path, "/v2/")
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(g.User+":"+g.Password))
	switch {
	case image && g.Password != "" && g.Realm != "":
		token, _ := strings.CutPrefix(shown, "Bearer ")
		if until, ok := s.tokens[token]; ok && req.Now.Before(until) {
			return nil
		}
		return unauthorized(`Bearer realm="` + g.Realm + `",service="` + s.opts.Host + `"`)
	case image && g.Password != "":
		if shown == basic {
			return nil
		}
		return unauthorized(`Basic realm="` + s.opts.Host + `"`)
	case g.Realm != "" && req.Path == TokenPath:
		if shown != basic {
			return unauthorized(`Basic realm="` + s.opts.Host + `"`)
		}
		r := jsonReply(req, http.StatusOK, map[string]any{"token": s.issue(req.Now),
			"expires_in": int(g.Lasts / time.Second)})
		return &r
	case !image && g.Files != "" && shown != g.Files:
		return unauthorized(`Bearer realm="` + s.opts.Host + `"`)
	}
	return nil
}

// issue makes a token; it needs s.mu.
func (s *Store) issue(now time.Time) string {
	mac := hmac.New(sha256.New, []byte("evetwin token "+s.opts.Host+" "+s.guard.Password))
	mac.Write([]byte(strconv.Itoa(len(s.tokens))))
	token := s.guard.Token + hex.EncodeToString(mac.Sum(nil))
	s.tokens[token] = now.Add(s.guard.Lasts)
	return token
}

func unauthorized(challenge string) *Response {
	return &Response{Code: http.StatusUnauthorized, Header: http.Header{
		"Www-Authenticate": {challenge}, "Content-Length": {"0"}}}
}
