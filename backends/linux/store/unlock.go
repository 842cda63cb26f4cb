package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/evetwin/evetwin/backends/linux/store/vault"
)

// Reasons why a vault is not unlocked.
var (
	// ErrNoSecret says that nobody knows what a reference stands for.
	ErrNoSecret = errors.New("nobody knows what the reference stands for")

	errKeyLater = errors.New("its key has not come yet")
	errNotWired = errors.New("the part is not wired")
	errOver     = errors.New("the boot is over")
)

// Unlock opens the vault with a key that came later, and looks at what is in it.
func (s *Store) Unlock(key []byte) error {
	s.mu.Lock()
	x := s.now
	s.o.VaultKey = key
	s.mu.Unlock()
	if x == nil {
		return fmt.Errorf("unlock the vault: %w", errNotWired)
	}
	return x.unlock()
}

// UnlockBy opens the vault with the secret that a reference stands for, which a TPM unsealed, say:
// ErrNoSecret if the keeper does not know it. The key is vault.KeyOf of it. UnlockBy waits for the
// device's loop, so nobody may call it there.
func (s *Store) UnlockBy(ctx context.Context, ref string) error {
	s.mu.Lock()
	x := s.now
	s.mu.Unlock()
	if x == nil {
		return fmt.Errorf("unlock the vault: %w", errNotWired)
	}
	type found struct {
		text  string
		known bool
	}
	looked := make(chan found, 1)
	x.post(func() {
		text, known := x.keeper.Reveal(ref)
		looked <- found{text, known}
	})
	var key []byte
	var err error
	select {
	case f := <-looked:
		if err = ErrNoSecret; f.known {
			key, err = vault.KeyOf([]byte(f.text))
		}
	case <-ctx.Done():
		err = ctx.Err()
	case <-x.ctx.Done():
		err = errOver
	}
	if err != nil {
		return fmt.Errorf("unlock the vault: %w", err)
	}
	return s.Unlock(key)
}

// Vault is the state of the vault, and why it is that if it is not what it was to be. The state is
// empty before the first look at the disk.
func (s *Store) Vault() (vault.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.why
}

// openVault opens the vault and notes its state.
func (s *Store) openVault() (vault.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := s.host(vaultDir)
	s.state, s.why = vault.Open(dir, s.o.VaultKey)
	if s.state == vault.Clear && s.o.KeyLater && len(s.o.VaultKey) == 0 && empty(dir) {
		s.state, s.why = vault.Locked, errKeyLater
	}
	if s.state == "" {
		return s.state, s.why
	}
	return s.state, nil
}

// vaultState is the state as it was when the disk was looked at.
func (s *Store) vaultState() vault.State {
	state, _ := s.Vault()
	return state
}

// empty reports whether there is nothing in a folder.
func empty(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	_, err = f.Readdirnames(1)
	return errors.Is(err, io.EOF)
}
