package content

import (
	"strconv"
	"strings"
)

// resolveKey makes a key without "/" of what is to be resolved.
func resolveKey(datastore, name string, counter int64) string {
	return datastore + "+" + strings.ReplaceAll(name, "/", "%2F") + "+" +
		strconv.FormatInt(counter, 10)
}
