package httpd

import "sync"

// changes wakes those who wait for news of a device.
type changes struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// tell wakes all who wait for the device. It never blocks.
func (c *changes) tell(device string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.waiting[device]; ch != nil {
		close(ch)
		delete(c.waiting, device)
	}
}

// next is closed at the device's next news. Ask for it before looking at the device: what comes
// between the two is then not missed.
func (c *changes) next(device string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.waiting[device]
	if ch == nil {
		ch = make(chan struct{})
		if c.waiting == nil {
			c.waiting = map[string]chan struct{}{}
		}
		c.waiting[device] = ch
	}
	return ch
}
