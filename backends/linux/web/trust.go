package web

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	device "github.com/evetwin/evetwin/core/device/web"
)

// Sessions are remembered for so many sets of roots, and in each for so many servers.
const (
	maxTrusts   = 8
	maxSessions = 64
)

// controllerSuites are the suites of TLS 1.2 that a controller is spoken to with; those of TLS 1.3
// are not for choosing.
func controllerSuites() []uint16 {
	return []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
}

// trust decides whom the device believes.
type trust struct {
	o *Options

	mu       sync.Mutex
	sessions map[[32]byte]tls.ClientSessionCache
}

// config is how a client with a policy and further roots speaks TLS; now is the device's clock.
func (t *trust) config(policy string, more []string, now func() time.Time) (*tls.Config, error) {
	pool, key, err := t.roots(policy, more)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, Time: now,
		ClientSessionCache: t.cache(key)}
	if policy == device.TLSController {
		c.CipherSuites = controllerSuites()
	}
	return c, nil
}

// roots are the authorities that a policy trusts, and a name of the set.
func (t *trust) roots(policy string, more []string) (*x509.CertPool, [32]byte, error) {
	h := sha256.New()
	add := func(pem []byte) {
		fmt.Fprintf(h, "%d:", len(pem))
		h.Write(pem)
	}
	pool := x509.NewCertPool()
	if policy != device.TLSController || !t.o.OwnRootOnly {
		add([]byte("system"))
		if pool = t.o.System; pool != nil {
			pool = pool.Clone()
		} else {
			var err error
			if pool, err = x509.SystemCertPool(); err != nil {
				return nil, [32]byte{}, fmt.Errorf("read the system's roots: %w", err)
			}
		}
	}
	if policy == device.TLSController && t.o.RootFile != "" {
		pem, err := os.ReadFile(t.o.RootFile)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, [32]byte{}, fmt.Errorf("read the controller's root: %w", err)
		}
		add(pem)
		pool.AppendCertsFromPEM(pem)
	}
	for _, pem := range more {
		add([]byte(pem))
		pool.AppendCertsFromPEM([]byte(pem))
	}
	return pool, [32]byte(h.Sum(nil)), nil
}

// cache has the sessions of those who trust a set of roots: a session that was opened under others
// is none of theirs.
func (t *trust) cache(key [32]byte) tls.ClientSessionCache {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.sessions[key]
	if c == nil {
		if t.sessions == nil || len(t.sessions) >= maxTrusts {
			t.sessions = map[[32]byte]tls.ClientSessionCache{}
		}
		c = tls.NewLRUClientSessionCache(maxSessions)
		t.sessions[key] = c
	}
	return c
}
