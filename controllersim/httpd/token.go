package httpd

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/renameio/v2"
)

// writeToken makes the token of this run and puts it into its file, for the owner's eyes alone.
func (s *Server) writeToken() error {
	if s.opts.TokenFile == "" {
		return fmt.Errorf("start admin interface: no file for its token")
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	token := hex.EncodeToString(secret)
	err := renameio.WriteFile(s.opts.TokenFile, []byte(token+"\n"), 0o600,
		renameio.WithStaticPermissions(0o600))
	if err != nil {
		return fmt.Errorf("write token of the admin interface: %w", err)
	}
	s.token = token
	return nil
}

// authorized lets through what carries the token. Digests are compared, so that the time taken
// tells nothing of the token.
func authorized(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given))
		if !ok || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, fmt.Errorf("the token is missing or wrong"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
