package conform_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// carries makes the other end of a tunnel, unless it is there, and has a packet go there and back.
func (x *nicLab) carries() error {
	far := conform.TunnelFar()
	inside := netip.MustParsePrefix(far.Inside)
	if exec.Command("ip", "-n", x.sdn.Name, "link", "show", "wg1").Run() != nil {
		x.sdn.Run("ip", "link", "add", "wg1", "type", "wireguard")
		if err := x.farEnd(); err != nil {
			return err
		}
		x.sdn.Up("wg1", far.Inside)
	}
	var there, here *net.UDPConn
	err := netspace.Do(x.sdn.Name, func() (err error) {
		there, err = net.ListenUDP("udp", &net.UDPAddr{IP: inside.Addr().AsSlice(), Port: 4242})
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = there.Close() }()
	err = netspace.Do(x.dev.Name, func() (err error) {
		here, err = net.DialUDP("udp", nil, there.LocalAddr().(*net.UDPAddr))
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = here.Close() }()
	return echo(here, there)
}

// echo sends a packet, and has it come back.
func echo(here, there *net.UDPConn) error {
	limit := time.Now().Add(10 * time.Second)
	b := make([]byte, 16)
	err := errors.Join(here.SetDeadline(limit), there.SetDeadline(limit))
	if err == nil {
		_, err = here.Write([]byte("through"))
	}
	if err != nil {
		return fmt.Errorf("send through the tunnel: %w", err)
	}
	n, from, err := there.ReadFromUDP(b)
	if err == nil {
		_, err = there.WriteTo(b[:n], from)
	}
	if err != nil {
		return fmt.Errorf("at the far end of the tunnel: %w", err)
	}
	n, err = here.Read(b)
	if err != nil || string(b[:n]) != "through" {
		return fmt.Errorf("through the tunnel came %q: %w", b[:n], err)
	}
	return nil
}

// farEnd configures the other end.
func (x *nicLab) farEnd() error {
	far := conform.TunnelFar()
	key, err := wgtypes.ParseKey(far.Secret)
	if err != nil {
		return err
	}
	device, err := wgtypes.ParseKey(far.Public)
	if err != nil {
		return err
	}
	port := int(netip.MustParseAddrPort(far.At).Port())
	return netspace.Do(x.sdn.Name, func() error {
		c, err := wgctrl.New()
		if err != nil {
			return err
		}
		near := netkernel.IPNet(netip.MustParsePrefix(far.Near).Masked())
		err = c.ConfigureDevice("wg1", wgtypes.Config{PrivateKey: &key, ListenPort: &port,
			Peers: []wgtypes.PeerConfig{{PublicKey: device, AllowedIPs: []net.IPNet{*near}}}})
		return errors.Join(err, c.Close())
	})
}
