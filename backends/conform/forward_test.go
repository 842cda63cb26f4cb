package conform_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// forwards know where mapped ports listen on this machine; those that are closed answer nobody.
type forwards struct {
	mu sync.Mutex
	at map[string]netip.AddrPort
}

// note takes in a new one.
func (f *forwards) note(app, proto string, port uint16, at netip.AddrPort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at == nil {
		f.at = map[string]netip.AddrPort{}
	}
	f.at[fmt.Sprint(app, proto, port)] = at
}

// reach asks the demo application over a mapped port.
func (f *forwards) reach(app, proto string, port uint16) error {
	f.mu.Lock()
	at, known := f.at[fmt.Sprint(app, proto, port)]
	f.mu.Unlock()
	switch {
	case !known:
		return fmt.Errorf("%s port %d is not mapped", proto, port)
	case proto == "udp":
		return datagram(at.String())
	}
	client := http.Client{Timeout: 2 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + at.String() + "/")
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("the guest answers %s", answer.Status), answer.Body.Close())
	}
	return answer.Body.Close()
}

// datagram sends one to an echo, three times at most.
func datagram(at string) error {
	conn, err := net.Dial("udp", at)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	text := []byte("hello over UDP")
	got := make([]byte, 200)
	for range 3 {
		if _, err = conn.Write(text); err != nil {
			continue // nobody listened to the one before
		}
		_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		var n int
		if n, err = conn.Read(got); err == nil && bytes.HasSuffix(got[:n], text) && n > len(text) {
			return nil
		}
	}
	if err == nil {
		return fmt.Errorf("ask %s over UDP: it answers %q", at, got)
	}
	return fmt.Errorf("ask %s over UDP: %w", at, err)
}
