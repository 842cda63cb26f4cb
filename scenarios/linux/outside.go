package linux

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/httpd"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// outside is who answers in the namespace around the device: controller and registry over TLS, with
// one root, DHCP and names on each cable, the time.
type outside struct {
	street  *street
	server  *httpd.Server
	site    *twin.Site
	content *data.Store
	closers []func() error
}

// newOutside starts them all; dir takes their files.
func newOutside(s *street, dir string) (o *outside, err error) {
	o = &outside{street: s, content: data.New(data.Options{Host: twin.Registry})}
	for _, start := range []func(dir string) error{o.controller, o.registry, o.time, o.names} {
		if err := start(dir); err != nil {
			return nil, errors.Join(err, o.close())
		}
	}
	return o, nil
}

// in does f inside the namespace, where what it opens stays.
func (o *outside) in(f func() error) error { return netspace.Do(o.street.outside, f) }

func (o *outside) controller(dir string) error {
	err := o.in(func() (err error) {
		o.server, err = httpd.Start(httpd.Options{Listen: net.JoinHostPort(controllerAddr, "443"),
			TokenFile: filepath.Join(dir, "admin.token"), Hosts: []string{twin.Server, twin.Registry}})
		return err
	})
	if err != nil {
		return fmt.Errorf("start controller: %w", err)
	}
	o.closers = append(o.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return o.server.Close(ctx)
	})
	e := o.server.Do(func(c *controllersim.Controller) {
		o.site, err = twin.NewSite(twin.SiteOptions{Controller: c})
	})
	return errors.Join(err, e)
}

// registry serves the bundled application with the certificate of the controller, which is good for
// both names.
func (o *outside) registry(string) error {
	h, free, err := o.content.Server(data.ServerOptions{})
	if err != nil {
		return fmt.Errorf("start registry: %w", err)
	}
	var lis net.Listener
	err = o.in(func() (err error) {
		lis, err = net.Listen("tcp", net.JoinHostPort(registryAddr, "443"))
		return err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("start registry: %w", err), free())
	}
	var cert tls.Certificate
	err = o.server.Do(func(c *controllersim.Controller) { cert = c.TLSCertificate() })
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.ServeTLS(lis, "", "") }) // ends with ErrServerClosed
	o.closers = append(o.closers, func() error {
		err := srv.Close()
		serving.Wait()
		return errors.Join(err, free())
	})
	return err
}

// publish puts the bundled application into the registry.
func (o *outside) publish(ctx context.Context, cache lab.Cache, repository, tag string) error {
	from, err := guest.DemoServed(ctx, cache)
	if err != nil {
		return fmt.Errorf("make the image %s:%s: %w", repository, tag, err)
	}
	o.content.PutImage(repository, tag,
		data.Image{Manifest: from.Manifest, MediaType: from.MediaType, Blobs: from.Blobs})
	return nil
}

// dial connects from the outside.
func (o *outside) dial(ctx context.Context, network, to string) (c net.Conn, err error) {
	err = o.in(func() error {
		c, err = (&net.Dialer{Timeout: patience}).DialContext(ctx, network, to)
		return err
	})
	return c, err
}

func (o *outside) close() (err error) {
	for i := len(o.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, o.closers[i]())
	}
	return err
}
