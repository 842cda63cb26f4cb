package fleet

import "github.com/google/uuid"

// namespace separates the identifiers made here from any other version 5 UUIDs.
const namespace = "evetwin/fleet/"

// ID is the UUID of version 5 for a thing of a kind with a name, under a seed: the same three
// give the same UUID everywhere.
func ID(seed, kind, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(namespace+seed+"\x00"+kind+"\x00"+name)).String()
}
