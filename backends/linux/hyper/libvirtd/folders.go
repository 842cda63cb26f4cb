package libvirtd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// logFile is where the daemon complains, about much that a machine need not have.
const logFile = "libvirtd.log"

// daemonConf lets root talk to the daemon by its socket and nobody else.
const daemonConf = `auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
log_outputs = "3:file:/var/log/libvirt/` + logFile + `"
`

// qemuConf makes guests need nothing of systemd, cgroups, udev or other daemons, and leaves the
// owners of images as they are.
const qemuConf = `user = "root"
group = "root"
cgroup_controllers = []
namespaces = []
security_driver = "none"
stdio_handler = "file"
dynamic_ownership = 0
remember_owner = 0
`

// Accounts that the daemon wants to find.
const (
	userLine   = "libvirt-qemu:x:64055:64055:libvirt:/:/usr/sbin/nologin\n"
	groupLines = "libvirt-qemu:x:64055:\nkvm:x:64056:\n"
)

// script mounts our folders over those of the daemon and becomes the daemon.
const script = `set -e
at() { mkdir -p "$2"; mount --bind "$1" "$2"; }
at "$1/etc" /etc/libvirt
at "$1/lib" /var/lib/libvirt
at "$1/log" /var/log/libvirt
at "$2" /var/cache/libvirt
at "$1/run" /run/libvirt
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
exec "$3" -f /etc/libvirt/libvirtd.conf -p /run/libvirt/libvirtd.pid
`

// prepare makes the folders. Guests of an earlier daemon are left as they are.
func prepare(o Options) error {
	for _, dir := range []string{"etc", "lib", "log", "run"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, dir), 0o711); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(o.Cache, 0o711); err != nil {
		return err
	}
	// One that died left its socket behind, where nobody answers.
	if err := os.Remove(o.socket()); err != nil && !os.IsNotExist(err) {
		return err
	}
	users, err := withAccounts("/etc/passwd", userLine)
	if err != nil {
		return err
	}
	groups, err := withAccounts("/etc/group", groupLines)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{ //order: each is a file of its own
		"etc/libvirtd.conf": []byte(daemonConf), "etc/qemu.conf": []byte(qemuConf),
		"passwd": users, "group": groups} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// withAccounts is a file of accounts with those that are missing.
func withAccounts(path, lines string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	for line := range bytes.Lines([]byte(lines)) {
		name := line[:bytes.IndexByte(line, ':')+1]
		if !bytes.HasPrefix(text, name) && !bytes.Contains(text, append([]byte{'\n'}, name...)) {
			text = append(text, line...)
		}
	}
	return text, nil
}
