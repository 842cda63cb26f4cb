package tpm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/tpmkey"
	device "github.com/evetwin/evetwin/core/device/tpm"
)

// soft is keys in files, for a device without a TPM.
type soft struct {
	mu    sync.Mutex // one makes keys at a time
	files Files
}

// file is where a key is.
func (s *soft) file(name string) string {
	if name == device.Device {
		return deviceKeyFile
	}
	return path.Join(certsDir, name+".key.pem")
}

// key reads a key: ErrNoKey if there is none.
func (s *soft) key(name string) (*ecdsa.PrivateKey, error) {
	text, err := s.files.Read(s.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read key %s: %w", name, ErrNoKey)
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	return tpmkey.Read(text)
}

// own reads a key, or makes it, durably.
func (s *soft) own(name string) (*ecdsa.PrivateKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.key(name)
	if !errors.Is(err, ErrNoKey) {
		return k, err
	}
	if k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make key %s: %w", name, err)
	}
	text, err := tpmkey.Write(k)
	if err == nil {
		err = s.files.Write(s.file(name), text)
	}
	if err != nil {
		return nil, fmt.Errorf("keep key %s: %w", name, err)
	}
	return k, nil
}

// identity is the certificate of the device key, if both are there and belong together.
func (s *soft) identity() (cert string, err error) {
	text, err := s.files.Read(deviceCertFile)
	if err != nil {
		return "", err
	}
	k, err := s.key(device.Device)
	if err != nil {
		return "", err
	}
	public, _, err := tpmkey.Public(string(text))
	if err != nil || !public.Equal(&k.PublicKey) {
		return "", ErrNoData
	}
	return string(text), nil
}

// create makes the device key and its certificate, or finds them. The key is durable before there
// is a certificate.
func (s *soft) create(from time.Time) (cert string, restored bool, err error) {
	if cert, err := s.identity(); err == nil {
		return cert, true, nil
	}
	k, err := s.own(device.Device)
	if err == nil {
		cert, err = tpmkey.SelfSign(k, &k.PublicKey, from)
	}
	if err == nil {
		err = s.files.Write(deviceCertFile, []byte(cert))
	}
	if err != nil {
		return "", false, fmt.Errorf("create the device key: %w", err)
	}
	return cert, false, nil
}
