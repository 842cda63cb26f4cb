package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/linux/store/vault"
	device "github.com/evetwin/evetwin/core/device/store"
)

// TestNothingIsKnownOfALockedVault boots with a vault whose key is not there yet: small files are
// known, nothing that could lie in the vault is said to be absent, and calls fail. Unlock heals.
func TestNothingIsKnownOfALockedVault(t *testing.T) {
	disk := looptest.New(t, looptest.Options{})
	if err := vault.Probe(disk.Dir); err != nil {
		t.Skipf("fscrypt: %v", err)
	}
	key := bytes.Repeat([]byte{3}, vault.KeySize)
	root := filepath.Join(disk.Dir, "root")
	r, end, err := start(Options{Root: root, VaultKey: key})
	must(t, err, r.write(lastFile, []byte("x"), false))
	sha, err := r.loads([]byte("blob"))
	must(t, err)
	q := device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Encrypted: true, Blobs: []string{sha}}
	plain := device.CreateVolumeReq{VolumeKey: "p#0", Format: "raw", Size: 1}
	must(t, r.creates(q), r.creates(plain), r.downloads("half", []byte("x")), end())
	must(t, disk.Start())

	r = up(t, Options{Root: root})
	files, known := rows(t, r, r.files)
	if len(files) != 1 || !known {
		t.Errorf("files are %v, %v", files, known)
	}
	blobs, known := rows(t, r, r.blobs)
	volumes, all := rows(t, r, r.volumes)
	if len(blobs) > 0 || known || len(volumes) != 1 || all {
		t.Errorf("behind the lock are %v, %v, %v, %v", blobs, known, volumes, all)
	}
	state, why := r.Vault()
	if state != vault.Locked || why == nil {
		t.Errorf("the vault is %s: %v", state, why)
	}
	_, f := r.readBlob(t.Context(), &device.BlobReq{Sha256: sha})
	if f == nil || f.Code != device.FaultIO || !f.Retry || r.creates(q) == nil ||
		r.downloads("d", nil) == nil {
		t.Errorf("a vault that is locked is used: %+v", f)
	}
	if err := r.Unlock(bytes.Repeat([]byte{4}, vault.KeySize)); err == nil {
		t.Error("another key unlocks it")
	}
	must(t, r.Unlock(key), r.Unlock(key))
	blobs, known = rows(t, r, r.blobs)
	volumes, all = rows(t, r, r.volumes)
	if len(blobs) != 1 || !known || len(volumes) != 2 || !all || !volumes["v#0"].Encrypted ||
		volumes["p#0"].Encrypted {
		t.Errorf("in the vault are %v, %v, %v, %v", blobs, known, volumes, all)
	}
	if s, ok := r.o.Downloads.Get("half"); !ok || !s.Done {
		t.Errorf("the download is %+v", s)
	}
	must(t, r.creates(q))
}

// TestWithoutEncryptionItSaysSo makes a volume for a vault that cannot be one.
func TestWithoutEncryptionItSaysSo(t *testing.T) {
	disk := looptest.New(t, looptest.Options{Plain: true})
	r := up(t, Options{Root: disk.Dir, VaultKey: make([]byte, vault.KeySize)})
	must(t, r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Size: 1,
		Encrypted: true}))
	volumes, all := rows(t, r, r.volumes)
	if v := volumes["v#0"]; v.Encrypted || !all || filepath.Dir(v.Path) != lockerDir {
		t.Errorf("the volume is %+v", v)
	}
	if state, why := r.Vault(); state != vault.Clear || why == nil {
		t.Errorf("the vault is %s: %v", state, why)
	}
}

// TestConfigurationIsCopiedIntoMemory copies /config, which then nobody can change.
func TestConfigurationIsCopiedIntoMemory(t *testing.T) {
	disk := looptest.New(t, looptest.Options{MiB: 16}) // it needs root, too
	from, to := filepath.Join(disk.Dir, "part"), filepath.Join(t.TempDir(), "config")
	must(t, os.MkdirAll(filepath.Join(from, "sub"), 0o700))
	must(t, os.WriteFile(filepath.Join(from, "server"), []byte("s"), 0o644))
	must(t, os.WriteFile(filepath.Join(from, "sub", "key"), []byte("k"), 0o400))
	must(t, os.Symlink("/etc/passwd", filepath.Join(from, "link")))
	must(t, CopyConfig(from, to))
	t.Cleanup(func() { must(t, unmount(to)) })
	i, err := os.Stat(filepath.Join(to, "sub", "key"))
	must(t, err)
	data, err := os.ReadFile(filepath.Join(to, "server"))
	if err != nil || string(data) != "s" || i.Mode() != 0o400 {
		t.Errorf("the copy holds %q, %v: %v", data, i.Mode(), err)
	}
	if _, err := os.Lstat(filepath.Join(to, "link")); err == nil {
		t.Error("a link is copied")
	}
	if os.WriteFile(filepath.Join(to, "server"), nil, 0o644) == nil ||
		os.Remove(filepath.Join(to, "server")) == nil {
		t.Error("the copy can be changed")
	}
	if CopyConfig(filepath.Join(from, "nowhere"), filepath.Join(to, "..", "other")) == nil {
		t.Error("what is not there is copied")
	}
}
