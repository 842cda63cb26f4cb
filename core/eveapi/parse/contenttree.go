package parse

import (
	"encoding/hex"
	"strings"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/topics/content"
)

// maxDatastoresPerTree bounds the places one content tree may come from.
const maxDatastoresPerTree = 32

// ContentTrees reads the content trees.
func ContentTrees(list []*config.ContentTree) ([]content.ContentTreeConfig, string) {
	var rows []content.ContentTreeConfig
	for i, c := range list {
		rows = append(rows, contentTree(c, i))
	}
	out, dropped := unique(rows, func(c *content.ContentTreeConfig) {
		c.ParseError = joinError(c.ParseError, "another content tree has the same UUID")
	})
	return out, tooMany("content trees", dropped)
}

func contentTree(c *config.ContentTree, index int) content.ContentTreeConfig {
	out := content.ContentTreeConfig{
		RelativeURL: c.GetURL(), ContentSha256: strings.ToLower(c.GetSha256()),
		MaxDownloadSize: c.GetMaxSizeBytes(), GenerationCounter: c.GetGenerationCount(),
		DisplayName: c.GetDisplayName(), CustomMeta: c.GetCustomMetaData(),
	}
	var errs wrongs
	var wrong string
	out.ContentID, wrong = readUUID(c.GetUuid(), index)
	errs.add(wrong)
	if f := c.GetIformat(); f > config.Format_FmtUnknown && f <= config.Format_PVC {
		out.Format = content.Format(f)
	} else {
		errs.add("image format ", number(int(f)), " is unknown")
	}
	stores := c.GetDsIdsList()
	if len(stores) == 0 {
		stores = []string{c.GetDsId()}
	}
	for _, s := range stores {
		id, ok := refUUID(s)
		switch {
		case !ok:
			errs.add("datastore ", quote(s), " is not a UUID")
		case len(out.DatastoreIDList) == maxDatastoresPerTree:
			errs.add("more than 32 datastores")
		default:
			out.DatastoreIDList = append(out.DatastoreIDList, id)
		}
	}
	if s := out.ContentSha256; s != "" {
		if b, err := hex.DecodeString(s); err != nil || len(b) != 32 {
			errs.add("sha256 ", quote(s), " is not a SHA-256")
		}
	} else if out.Format != content.CONTAINER {
		errs.add("it has no sha256, which only a container image may be without")
	}
	if out.RelativeURL == "" {
		errs.add("it has no URL")
	}
	if weigh(out, MaxRow) > MaxRow {
		out = content.ContentTreeConfig{ContentID: out.ContentID, Format: out.Format}
		errs.add(tooLarge(MaxRow))
	}
	out.ParseError = errs.String()
	return out
}
