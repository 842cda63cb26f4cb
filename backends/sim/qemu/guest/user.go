package guest

import (
	"fmt"
	"strconv"
	"strings"
)

// maxAccountFile is the largest /etc/passwd or /etc/group we read.
const maxAccountFile = 1 << 20

// account is who runs the payload.
type account struct {
	uid, gid uint32
	groups   []uint32
	home     string
}

// resolve finds out who an image's "user[:group]" is, by the root's own /etc/passwd and
// /etc/group. Numbers stand for themselves; a user without a group has that of its entry, and
// a number without an entry group 0.
func (t *Tree) resolve(user string) (account, error) {
	name, group, hasGroup := strings.Cut(user, ":")
	got := account{home: "/root"}
	if name != "" {
		entry := t.entry("/etc/passwd", name, 2)
		number, err := strconv.ParseUint(name, 10, 32)
		switch {
		case len(entry) >= 6:
			uid, uidErr := strconv.ParseUint(entry[2], 10, 32)
			gid, gidErr := strconv.ParseUint(entry[3], 10, 32)
			if uidErr != nil || gidErr != nil {
				return account{}, fmt.Errorf("user %q has no number in /etc/passwd", name)
			}
			got = account{uid: uint32(uid), gid: uint32(gid), home: entry[5]}
			got.groups = t.groupsOf(entry[0])
		case err == nil:
			got = account{uid: uint32(number), home: "/"}
		default:
			return account{}, fmt.Errorf("image has no user %q", name)
		}
	}
	if hasGroup && group != "" {
		entry := t.entry("/etc/group", group, 2)
		text := group
		if len(entry) >= 3 {
			text = entry[2]
		}
		gid, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("image has no group %q", group)
		}
		got.gid, got.groups = uint32(gid), nil
	}
	return got, nil
}

// entry returns the fields of the first line of an account file whose name, or number in the
// given field, is key.
func (t *Tree) entry(file, key string, number int) []string {
	for line := range strings.Lines(string(t.read(file, maxAccountFile))) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) > number && (fields[0] == key || fields[number] == key) {
			return fields
		}
	}
	return nil
}

// groupsOf returns the further groups a user is a member of.
func (t *Tree) groupsOf(name string) []uint32 {
	var groups []uint32
	for line := range strings.Lines(string(t.read("/etc/group", maxAccountFile))) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) < 4 {
			continue
		}
		for member := range strings.SplitSeq(fields[3], ",") {
			gid, err := strconv.ParseUint(fields[2], 10, 32)
			if member == name && err == nil {
				groups = append(groups, uint32(gid))
			}
		}
	}
	return groups
}
