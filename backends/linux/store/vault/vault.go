// Package vault is a folder that is encrypted by the file system: fscrypt, version 2, on ext4.
//
// Whoever has the disk and not the key can read neither contents nor names. The key comes from the
// caller, who has it from a TPM or from the controller; it is in the kernel as long as the file
// system is mounted, or until Lock. Whether a file system can do this is found out by doing it. One
// that cannot, or a folder that has content in the clear, stays in the clear, and says so.
package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// KeySize is how many bytes a key has.
const KeySize = 64

// State says what a vault is.
type State string

// States of a vault.
const (
	Encrypted State = "encrypted" // and open
	Locked    State = "locked"    // encrypted, and the key is not here
	Clear     State = "clear"     // a folder like any other
)

// keyName is the kind of key whose name is a hash of it, FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER.
const keyName = unix.FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER

// Open makes a folder a vault, or opens one, or finds that it cannot be one. It makes the folder if
// need be. Without a key a vault stays locked, and nothing becomes one. The error says why a vault
// is locked, or why the folder is in the clear though there is a key; the state is right in any
// case but "".
func Open(dir string, key []byte) (State, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("open vault %s: %w", dir, err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", fmt.Errorf("open vault %s: %w", dir, err)
	}
	defer func() { _ = f.Close() }()
	state, err := open(f, key)
	if err != nil {
		err = fmt.Errorf("open vault %s: %w", dir, err)
	}
	return state, err
}

// open is Open for a folder.
func open(f *os.File, key []byte) (State, error) {
	name, encrypted, err := keyOf(f)
	switch {
	case err != nil:
		return Clear, err
	case len(key) == 0 && encrypted:
		return Locked, errors.New("there is no key")
	case len(key) == 0:
		return Clear, nil
	case len(key) != KeySize:
		return stateOf(encrypted), fmt.Errorf("a key has %d bytes, not %d", KeySize, len(key))
	}
	got, err := addKey(f, key)
	if err != nil {
		return stateOf(encrypted), fmt.Errorf("add the key: %w", err)
	}
	if encrypted && got != name {
		return Locked, errors.Join(errors.New("the key is that of another vault"), removeKey(f, got))
	}
	if encrypted {
		return Encrypted, nil
	}
	if _, err := f.Readdirnames(1); !errors.Is(err, io.EOF) {
		return Clear, errors.Join(errors.New("it has content in the clear"), removeKey(f, got))
	}
	if err := encrypt(f, got); err != nil {
		return Clear, errors.Join(fmt.Errorf("encrypt: %w", err), removeKey(f, got))
	}
	return Encrypted, f.Sync()
}

// stateOf is the state of a folder whose key did not get in.
func stateOf(encrypted bool) State {
	if encrypted {
		return Locked
	}
	return Clear
}

// Lock takes the key of a vault out of the kernel. What is open can be read until it is closed: the
// error says so, and Lock is to be called again. A folder that is no vault is left alone.
func Lock(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("lock vault: %w", err)
	}
	name, encrypted, err := keyOf(f)
	_ = f.Close() // open, it would keep its own names readable
	if err == nil && encrypted {
		err = lock(filepath.Dir(dir), name)
	}
	if err != nil {
		return fmt.Errorf("lock vault %s: %w", dir, err)
	}
	return nil
}

// lock removes a key by a folder of the file system.
func lock(dir string, name identifier) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(removeKey(f, name), f.Close())
}

// Probe says why the file system of a folder cannot hold a vault, by making one in it; nil if it
// can.
func Probe(dir string) error {
	temp, err := os.MkdirTemp(dir, ".vault-*")
	if err != nil {
		return fmt.Errorf("probe for a vault: %w", err)
	}
	state, err := Open(temp, make([]byte, KeySize))
	if state == Encrypted {
		err = errors.Join(err, Lock(temp))
	}
	return errors.Join(err, os.Remove(temp))
}

// identifier names a key.
type identifier [unix.FSCRYPT_KEY_IDENTIFIER_SIZE]byte

// keyOf names the key of a folder, if it is encrypted.
func keyOf(f *os.File) (name identifier, encrypted bool, err error) {
	arg := struct {
		size   uint64
		policy unix.FscryptPolicyV2
		room   [64]byte // for policies that are larger
	}{size: uint64(unsafe.Sizeof(unix.FscryptPolicyV2{}) + 64)}
	err = ioctl(f, unix.FS_IOC_GET_ENCRYPTION_POLICY_EX, unsafe.Pointer(&arg))
	switch {
	case errors.Is(err, unix.ENODATA): // not encrypted
		return name, false, nil
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EOPNOTSUPP):
		return name, false, fmt.Errorf("the file system does not encrypt: %w", err)
	case err != nil:
		return name, false, fmt.Errorf("read the policy: %w", err)
	case arg.policy.Version != unix.FSCRYPT_POLICY_V2:
		return name, true, nil // no key we add has this name
	}
	return arg.policy.Master_key_identifier, true, nil
}

// addKey gives the kernel a key and returns its name.
func addKey(f *os.File, key []byte) (identifier, error) {
	var arg struct {
		unix.FscryptAddKeyArg
		raw [KeySize]byte
	}
	arg.Key_spec.Type = keyName
	arg.Raw_size = KeySize
	copy(arg.raw[:], key)
	err := ioctl(f, unix.FS_IOC_ADD_ENCRYPTION_KEY, unsafe.Pointer(&arg))
	clear(arg.raw[:])
	return identifier(arg.Key_spec.U[:unix.FSCRYPT_KEY_IDENTIFIER_SIZE]), err
}

// removeKey takes a key out of the kernel.
func removeKey(f *os.File, name identifier) error {
	var arg unix.FscryptRemoveKeyArg
	arg.Key_spec.Type = keyName
	copy(arg.Key_spec.U[:], name[:])
	err := ioctl(f, unix.FS_IOC_REMOVE_ENCRYPTION_KEY, unsafe.Pointer(&arg))
	switch {
	case errors.Is(err, unix.ENOKEY):
		return nil
	case err == nil && arg.Removal_status_flags&unix.FSCRYPT_KEY_REMOVAL_STATUS_FLAG_FILES_BUSY != 0:
		return errors.New("files of it are open")
	}
	return err
}

// encrypt makes an empty folder a vault.
func encrypt(f *os.File, name identifier) error {
	arg := unix.FscryptPolicyV2{Version: unix.FSCRYPT_POLICY_V2,
		Contents_encryption_mode:  unix.FSCRYPT_MODE_AES_256_XTS,
		Filenames_encryption_mode: unix.FSCRYPT_MODE_AES_256_CTS,
		Flags:                     unix.FSCRYPT_POLICY_FLAGS_PAD_32, Master_key_identifier: name}
	return ioctl(f, unix.FS_IOC_SET_ENCRYPTION_POLICY, unsafe.Pointer(&arg))
}

func ioctl(f *os.File, req uint, arg unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(req), uintptr(arg))
	if errno != 0 {
		return errno
	}
	return nil
}
