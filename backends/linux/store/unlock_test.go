package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/linux/store/vault"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// unsealed is the reference of a secret that a TPM gave the keeper of a boot.
func (r *rig) unsealed(t *testing.T, text string) (ref string) {
	t.Helper()
	must(t, r.dev.Do(t.Context(), func(*host.Kernel) {
		ref = r.keeper.Made(secret.Sealed, []byte(text))
	}))
	return ref
}

// TestAReferenceUnlocksTheVault has a new device whose key comes later: nothing gets into the vault
// before it is one. In the next boot the same secret opens it, by the same reference, and no other.
func TestAReferenceUnlocksTheVault(t *testing.T) {
	disk := looptest.New(t, looptest.Options{})
	if err := vault.Probe(disk.Dir); err != nil {
		t.Skipf("this kernel or file system cannot encrypt folders (fscrypt): %v", err)
	}
	const text, other = "thirty-two bytes of a vault key.", "thirty-two bytes of another key."
	o := Options{Root: filepath.Join(disk.Dir, "root"), KeyLater: true,
		Keeper: func() *secret.Keeper { return secret.New([]byte("key of the device")) }}
	q := device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Size: 1, Encrypted: true}
	var ref string
	for boot := range 2 {
		r, end, err := start(o)
		must(t, err)
		if state, why := r.Vault(); state != vault.Locked || why == nil || r.creates(q) == nil {
			t.Errorf("the vault is %s before there is a key: %v", state, why)
		}
		if err := r.UnlockBy(t.Context(), ref); !errors.Is(err, ErrNoSecret) {
			t.Errorf("the reference %q of an earlier boot: %v", ref, err)
		}
		if err := r.UnlockBy(t.Context(), r.unsealed(t, "short")); err == nil {
			t.Error("a short secret makes a vault")
		}
		if boot > 0 && r.UnlockBy(t.Context(), r.unsealed(t, other)) == nil {
			t.Error("another secret opens the vault")
		}
		was := ref
		if ref = r.unsealed(t, text); boot > 0 && ref != was {
			t.Errorf("the reference of the secret was %s and is %s", was, ref)
		}
		must(t, r.UnlockBy(t.Context(), ref), r.UnlockBy(t.Context(), ref), r.creates(q))
		volumes, all := rows(t, r, r.volumes)
		if v := volumes["v#0"]; !v.Encrypted || !all {
			t.Errorf("boot %d: the volume is %+v, %v", boot+1, v, all)
		}
		must(t, end(), disk.Start())
	}
	if list, err := os.ReadDir(filepath.Join(o.Root, vaultDir)); err != nil || len(list) == 0 ||
		list[0].Name() == "blobs" {
		t.Errorf("without the key the vault shows %v: %v", list, err)
	}
	if err := New(o).UnlockBy(t.Context(), ref); err == nil {
		t.Error("a part that is not wired unlocks")
	}
}

// TestAVaultInTheClearStaysOne has a device that ran without a key get one: what it has stays where
// it is, and is known at once.
func TestAVaultInTheClearStaysOne(t *testing.T) {
	root := t.TempDir()
	r, end, err := start(Options{Root: root})
	must(t, err, r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Size: 1,
		Encrypted: true}), end())
	r = up(t, Options{Root: root, KeyLater: true})
	volumes, all := rows(t, r, r.volumes)
	if v, ok := volumes["v#0"]; !ok || v.Encrypted || !all {
		t.Errorf("volumes are %v, %v", volumes, all)
	}
}
