package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/security"
)

// tokenFields of a token server's answer are secrets; all others an agent may see.
var tokenFields = [...]string{"token", "access_token", "refresh_token", "id_token"}

// Token takes the answer 200 of a token server to a request (what makes it up, in any order that is
// always the same) and returns what an agent may see of it: JSON without tokens. Kept.Token is the
// reference of the token, the same for the same request; Kept.Unread says why the answer is none.
func (k *Keeper) Token(body []byte, request ...string) ([]byte, *security.Kept) {
	out := keptOf(body)
	out.Sha256 = "" // a hash of a token that nobody needs
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(body, &answer); err != nil {
		out.Unread = "read answer of token server: it is not a JSON object"
		return nil, out
	}
	token := ""
	for _, name := range tokenFields[:2] {
		var text string
		if json.Unmarshal(answer[name], &text) == nil && token == "" {
			token = text
		}
	}
	maps.DeleteFunc(answer, func(name string, _ json.RawMessage) bool {
		return slices.ContainsFunc(tokenFields[:], func(f string) bool {
			return strings.EqualFold(f, name)
		})
	})
	if token == "" || strings.ContainsAny(token, "\r\n") {
		out.Unread = "token server gave no token"
		return nil, out
	}
	left, err := json.Marshal(answer)
	if err != nil || bytes.Contains(left, []byte(token)) {
		left = nil // it stands somewhere else, too
	}
	sum := sha256.Sum256([]byte(strings.Join(request, "\x00")))
	out.Token = fromToken + hex.EncodeToString(sum[:8])
	k.putToken(out.Token, token)
	return left, out
}
