package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	device "github.com/evetwin/evetwin/core/device/store"
)

// Folders of the device, as the device names them.
const (
	persistDir  = "/persist"
	clearDir    = "/persist/clear/volumes"
	vaultDir    = "/persist/vault"
	lockerDir   = "/persist/vault/volumes"
	blobsDir    = "/persist/vault/blobs"
	downloadDir = "/persist/vault/downloads"
	secretsFile = "/persist/secrets/lasting.json"
)

// DownloadDir is where downloads lie below a root, for partial.New.
func DownloadDir(root string) string { return filepath.Join(root, downloadDir) }

// host is the path on this machine of what the device calls path.
func (s *Store) host(path string) string { return filepath.Join(s.o.Root, path) }

// device is the path as the device has it of a path on this machine.
func (s *Store) device(host string) string {
	return filepath.Clean("/" + strings.TrimPrefix(host, filepath.Clean(s.o.Root)))
}

// blobPath is where a blob lies on this machine.
func (s *Store) blobPath(sha string) string { return filepath.Join(s.host(blobsDir), sha) }

// volumeFile is the name of a volume's file or folder.
func volumeFile(key, format string) string { return key + "." + format }

// parseVolume is the key and format of a volume by the name of its file; false if it is none.
func parseVolume(name string) (key, format string, ok bool) {
	for _, format := range device.Formats() {
		if key, ok := strings.CutSuffix(name, "."+format); ok && device.IsVolumeKey(key) {
			return key, format, true
		}
	}
	return "", "", false
}

// makeDir makes a folder and those above it, durably, and has the folder watched.
func (x *session) makeDir(dir string) error {
	if _, err := os.Lstat(dir); err != nil {
		up := filepath.Dir(dir)
		if err := x.makeUp(up); err != nil {
			return err
		}
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if err := x.o.Disk.SyncDir(up); err != nil {
			return err
		}
	}
	return x.watch.Add(dir)
}

// makeUp makes folders that nobody watches.
func (x *session) makeUp(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return nil
	}
	up := filepath.Dir(dir)
	if err := x.makeUp(up); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return x.o.Disk.SyncDir(up)
}
