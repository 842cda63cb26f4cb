package clock

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// dial connects from the device's namespace.
func (c *Clock) dial(ctx context.Context, network, to string) (conn net.Conn, err error) {
	err = netspace.Do(c.o.Space, func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, to)
		return err
	})
	return conn, err
}

// resolve finds the addresses of a server.
func (c *Clock) resolve(ctx context.Context, server string) ([]string, error) {
	if _, err := netip.ParseAddr(server); err == nil {
		return []string{server}, nil
	}
	servers, err := c.nameServers()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range servers {
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string,
		) (net.Conn, error) {
			return c.dial(ctx, network, net.JoinHostPort(s, "53"))
		}}
		var found []string
		one, cancel := context.WithTimeout(ctx, perServer)
		found, err = r.LookupHost(one, server)
		cancel()
		if err == nil && len(found) > 0 {
			return found, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("find %s: %w", server, errors.Join(errs...))
}

// nameServers are those of the file.
func (c *Clock) nameServers() (out []string, err error) {
	text, err := os.ReadFile(c.o.ResolvConf)
	if err != nil {
		return nil, fmt.Errorf("find name servers: %w", err)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 1 && f[0] == "nameserver" {
			out = append(out, f[1])
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("find name servers: %s names none", c.o.ResolvConf)
	}
	return out, nil
}
