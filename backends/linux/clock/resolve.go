package clock

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

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
	servers, err := c.told(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range servers {
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string,
		) (net.Conn, error) {
			return c.dial(ctx, network, net.JoinHostPort(s, fmt.Sprint(c.o.dns)))
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

// errNone says that the file names no servers.
var errNone = errors.New("none is named")

// often is how often the file is looked at that names no servers yet.
const often = 100 * time.Millisecond

// told are the name servers of the file. A port has an address some moments before its servers are
// written down, so that a file without any is waited for as long as a server that does not answer.
func (c *Clock) told(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, perServer)
	defer cancel()
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		servers, err := c.nameServers()
		if !errors.Is(err, errNone) {
			return servers, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// nameServers are those of the file; one that is not there names none.
func (c *Clock) nameServers() (out []string, err error) {
	text, err := os.ReadFile(c.o.ResolvConf)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find name servers: %w", err)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 1 && f[0] == "nameserver" {
			out = append(out, f[1])
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("find name servers in %s: %w", c.o.ResolvConf, errNone)
	}
	return out, nil
}
