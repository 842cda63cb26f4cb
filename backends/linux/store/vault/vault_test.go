package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/linux/store/vault"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, vault.KeySize) }

// is opens a vault and wants a state, and a reason or none.
func is(t *testing.T, dir string, key []byte, want vault.State, why bool) {
	t.Helper()
	got, err := vault.Open(dir, key)
	if got != want || (err != nil) != why {
		t.Errorf("the vault is %q: %v; want %q", got, err, want)
	}
}

// need ends a test on a kernel that cannot encrypt.
func need(t *testing.T, dir string) {
	t.Helper()
	if err := vault.Probe(dir); err != nil {
		t.Skipf("this kernel or file system cannot encrypt folders (fscrypt): %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".vault*")); len(left) > 0 {
		t.Errorf("the probe leaves %v", left)
	}
}

func TestVaultOpensWithItsKeyOnly(t *testing.T) {
	disk := looptest.New(t, looptest.Options{MiB: 16})
	need(t, disk.Dir)
	dir := filepath.Join(disk.Dir, "vault")
	file := filepath.Join(dir, "secret-name")
	is(t, dir, key(1), vault.Encrypted, false)
	is(t, dir, key(1), vault.Encrypted, false)
	if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	is(t, dir, nil, vault.Locked, true) // whoever has no key must not rely on another's
	if err := vault.Lock(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(file); err == nil {
		t.Error("a vault that is locked can be read")
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 || list[0].Name() == "secret-name" {
		t.Errorf("names in a vault that is locked: %v, %v", list, err)
	}
	for _, wrong := range [][]byte{nil, key(2), key(1)[:32]} {
		is(t, dir, wrong, vault.Locked, true)
	}
	is(t, dir, key(1), vault.Encrypted, false)
	if data, err := os.ReadFile(file); err != nil || string(data) != "secret" {
		t.Errorf("the secret is %q: %v", data, err)
	}
	if err := disk.Start(); err != nil {
		t.Fatal(err)
	}
	is(t, dir, nil, vault.Locked, true)
	is(t, dir, key(1), vault.Encrypted, false)
}

func TestWhatCannotBeAVaultStaysInTheClear(t *testing.T) {
	disk := looptest.New(t, looptest.Options{MiB: 16})
	need(t, disk.Dir)
	dir := filepath.Join(disk.Dir, "old")
	is(t, dir, nil, vault.Clear, false)
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	is(t, dir, key(1), vault.Clear, true)
	plain := looptest.New(t, looptest.Options{MiB: 16, Plain: true})
	is(t, filepath.Join(plain.Dir, "vault"), key(1), vault.Clear, true)
	if vault.Probe(plain.Dir) == nil || vault.Probe("/proc/self") == nil {
		t.Error("file systems that cannot encrypt are said to")
	}
}
