package conform_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/conform"
)

// ask asks the metadata service from the namespace of a guest. Without a connection there is no
// answer.
func (x *bridgeLab) ask(_ func(func()), vif string, from netip.Addr, r conform.BridgeRequest,
) (out conform.BridgeAnswer) {
	g := x.guests[vif]
	g.Settle()
	if from.IsValid() {
		g.Space.Run("ip", "addr", "replace", from.String()+"/24", "dev", "eth0")
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	if r.Brief {
		d.Timeout = 300 * time.Millisecond
	}
	if from.IsValid() {
		d.LocalAddr = &net.TCPAddr{IP: from.AsSlice()}
	}
	way := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context,
		network, addr string) (c net.Conn, err error) {
		g.Space.Do(func() { c, err = d.DialContext(ctx, network, addr) })
		return c, err
	}}
	defer way.CloseIdleConnections()
	q, err := http.NewRequestWithContext(x.t.Context(), r.Method,
		"http://169.254.169.254"+r.Path, strings.NewReader(r.Body))
	if err != nil {
		x.t.Error(err)
		return out
	}
	if r.Type != "" {
		q.Header.Set("Content-Type", r.Type)
	}
	res, err := (&http.Client{Transport: way, Timeout: 10 * time.Second}).Do(q)
	if err != nil {
		var dial *net.OpError
		if !errors.As(err, &dial) || dial.Op != "dial" {
			x.t.Errorf("%s %s: %v", r.Method, r.Path, err)
		}
		return out
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		x.t.Errorf("%s %s: %v", r.Method, r.Path, err)
	}
	return conform.BridgeAnswer{Code: res.StatusCode, Type: res.Header.Get("Content-Type"),
		Allow: res.Header.Get("Allow"), Body: string(body)}
}

// outside tries the address of the service, and that of the bridge, by way of the device.
func (x *bridgeLab) outside() bool {
	for _, to := range []string{"169.254.169.254", "10.1.0.1"} {
		x.sdn.Run("ip", "route", "replace", to+"/32", "via", "10.99.0.7")
		reached := false
		x.sdn.Do(func() {
			c, err := net.DialTimeout("tcp", to+":80", 300*time.Millisecond)
			if reached = err == nil; reached {
				_ = c.Close()
			}
		})
		x.sdn.Run("ip", "route", "del", to+"/32")
		if reached {
			return true
		}
	}
	return false
}
