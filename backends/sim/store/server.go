package store

import (
	"time"

	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
)

// setServer names another controller.
func (s *Store) setServer(c host.Run[device.SetServerReq, device.None]) {
	c.After(c.Latency(time.Millisecond, 20*time.Millisecond), func() {
		server := c.Req().Server
		if !device.IsServer(server) {
			c.Fail(device.FaultRefused, "set the server: no host is called "+server, false)
			return
		}
		if s.Partition != nil {
			if err := s.Partition(server); err != nil {
				c.Fail(device.FaultIO, "set the server: "+err.Error(), true)
				return
			}
		}
		s.Disk.Put(device.ServerFile, []byte(server))
		s.showFile(device.ServerFile)
		c.Done(device.None{})
	})
}
