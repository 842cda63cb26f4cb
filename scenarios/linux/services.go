package linux

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/clock/timeserver"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// timeServer is the name of the time server that devices ask which were told of none.
const timeServer = "pool.ntp.org"

// names serves addresses and names on each cable.
func (o *outside) names(dir string) error {
	for _, c := range cables() {
		hosts := []string{twin.Server + "," + controllerAddr, twin.Registry + "," + registryAddr,
			timeServer + "," + c.router}
		args := []string{"netns", "exec", o.street.outside, "dnsmasq", "--keep-in-foreground",
			"--conf-file=/dev/null", "--log-facility=-", "--pid-file", "--user=root", "--no-ping",
			"--no-resolv", "--no-hosts", "--bind-interfaces", "--except-interface=lo",
			"--interface=" + c.end, "--dhcp-authoritative", "--dhcp-range=" + c.lease + ",1h",
			"--dhcp-leasefile=" + filepath.Join(dir, c.end+".leases")}
		for _, h := range hosts {
			args = append(args, "--host-record="+h)
		}
		says := &child.Ear{}
		up := says.Expect("started, version")
		p, err := child.Start(child.Options{Name: "dnsmasq on " + c.end, Path: "ip", Args: args,
			Stderr: says})
		if err != nil {
			return err
		}
		o.closers = append(o.closers, func() error { return p.Stop(time.Second) })
		limit := time.NewTimer(10 * time.Second)
		select {
		case <-up:
			limit.Stop()
		case <-p.Done():
			limit.Stop()
			return fmt.Errorf("serve names on %s: %w", c.end, p.Err())
		case <-limit.C:
			return fmt.Errorf("serve names on %s: it does not start: %s", c.end, p.LastWords())
		}
	}
	return nil
}

// time answers who asks for the time by SNTP.
func (o *outside) time(string) error {
	var c net.PacketConn
	err := o.in(func() (err error) {
		c, err = net.ListenPacket("udp4", ":123")
		return err
	})
	if err != nil {
		return fmt.Errorf("serve the time: %w", err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		timeserver.Serve(c, func(q []byte) [][]byte {
			return [][]byte{timeserver.Answer(q, time.Now())}
		})
	})
	o.closers = append(o.closers, func() error {
		err := c.Close()
		serving.Wait()
		return err
	})
	return nil
}

// maxBody is the longest answer of an application that is read.
const maxBody = 1 << 20

// readAll reads an answer; one that is not 200 is an error.
func readAll(r *http.Response) ([]byte, error) {
	if r.StatusCode != http.StatusOK {
		return nil, errors.New(strings.ToLower(r.Status))
	}
	return io.ReadAll(io.LimitReader(r.Body, maxBody))
}
