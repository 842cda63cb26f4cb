package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	"github.com/evetwin/evetwin/backends/metadata"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// Bounds of what guests may ask of the metadata service.
const (
	asking     = 5 * time.Second // for a request to come, and for its answer to go
	mostHeader = 16 << 10
	mostOfOne  = 16  // connections of a guest at once
	mostOfAll  = 256 // and of all guests of a bridge
)

// window is the metadata service of one bridge. Its socket is bound to the bridge: it hears nobody
// else, and so tells whose guest asks.
type window struct {
	index  int // of the bridge
	server *http.Server
	leave  context.CancelFunc
}

// openWindow opens the service of a bridge that has its address.
func (m *machine) openWindow(bridge string, index int) (*window, error) {
	ctx, leave := context.WithCancel(context.Background())
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		wrong := c.Control(func(fd uintptr) {
			err = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, bridge)
		})
		return errors.Join(wrong, err)
	}}
	at := netip.AddrPortFrom(device.MetadataAddr(), device.MetadataPort)
	var l net.Listener
	err := netspace.Do(m.o.Space, func() (err error) {
		l, err = lc.Listen(ctx, "tcp4", at.String())
		return err
	})
	if err != nil {
		leave()
		return nil, fmt.Errorf("listen for guests of %s: %w", bridge, err)
	}
	w := &window{index: index, leave: leave}
	w.server = &http.Server{Handler: m.handler(bridge), ReadTimeout: asking, WriteTimeout: 2 * asking,
		MaxHeaderBytes: mostHeader, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return ctx }}
	w.server.SetKeepAlivesEnabled(false)
	m.Work.Add(1)
	go func() {
		defer m.Work.Done()
		_ = w.server.Serve(crowd(l, mostOfOne, mostOfAll))
	}()
	return w, nil
}

// close ends the service of a bridge, and all that is being asked.
func (w *window) close() {
	w.leave()
	_ = w.server.Close()
}

// handler hands requests of guests of a bridge to the desk.
func (m *machine) handler(bridge string) http.HandlerFunc {
	return func(out http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), asking)
		defer cancel()
		body, err := io.ReadAll(io.LimitReader(r.Body, device.MaxPost+1))
		if err != nil {
			http.Error(out, "the request is not whole", http.StatusBadRequest)
			return
		}
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || m.ask == nil {
			http.Error(out, "nobody is here", http.StatusServiceUnavailable)
			return
		}
		a, ok := m.ask(ctx, metadata.Request{Bridge: bridge, From: from.Addr().Unmap(),
			Method: r.Method, Path: r.URL.Path, Type: r.Header.Get("Content-Type"), Body: body})
		if !ok {
			http.Error(out, "nobody is here", http.StatusServiceUnavailable)
			return
		}
		h := out.Header()
		h["Content-Type"] = nil // none is guessed
		if a.Type != "" {
			h.Set("Content-Type", a.Type)
		}
		if a.Allow != "" {
			h.Set("Allow", a.Allow)
		}
		if a.Code != http.StatusNoContent {
			h.Set("Content-Length", strconv.Itoa(len(a.Body)))
		}
		out.WriteHeader(a.Code)
		if a.Code != http.StatusNoContent {
			_, _ = out.Write(a.Body) // a guest that went away needs none
		}
	}
}
