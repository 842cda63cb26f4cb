package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/client"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
)

// player is a device as far as the measurement of a controller needs one.
type player struct {
	client.Client
	ask []byte // its request for a configuration, signed
}

// newLink is a connection to a controller that stays open. Whom it talks to is known: no server is
// verified.
func newLink() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxConnsPerHost: 1,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // loopback only
}

// register makes the devices, has them register from all links at a time, and returns how many do
// in a second. Keys, certificates and the signatures of the devices are made before.
func (b *controllerBench) register(ctx context.Context) (rate float64, err error) {
	bodies := make([][]byte, b.devices)
	var onboard *client.Signer
	for i := range b.devices {
		var c *client.Client
		if e := b.server.Do(func(x *controllersim.Controller) {
			c, err = client.New(x, fmt.Sprintf("bench %d", i))
		}); e != nil || err != nil {
			return 0, fmt.Errorf("make device %d: %w", i, firstError(err, e))
		}
		if onboard == nil {
			onboard = c.Onboard
		}
		c.Onboard = onboard
		p := &player{Client: *c}
		payload, err := eveapi.RegisterBody(
			eveapi.Registration{CertPEM: p.Device.PEM, Serial: p.Serial})
		if err != nil {
			return 0, err
		}
		if bodies[i], err = onboard.Seal(payload, onboard.PEM); err != nil {
			return 0, err
		}
		b.players = append(b.players, p)
	}
	rate, err = b.each(ctx, b.devices, func(l *http.Client, i int) error {
		c := b.players[i].Client
		c.Send = client.Over(l, b.server.URL())
		return expect(http.StatusCreated)(c.PostRaw(eveapi.Register, bodies[i]))
	})
	return rate, err
}

// configure gives every device a configuration of about 3 KB, and returns its size.
func (b *controllerBench) configure() (size int, err error) {
	cfg := &config.EdgeDevConfig{}
	for i := range 52 {
		cfg.ConfigItems = append(cfg.ConfigItems, &config.ConfigItem{
			Key: fmt.Sprintf("agent.number%d.debug.loglevel", i), Value: "a value of a config item"})
	}
	e := b.server.Do(func(c *controllersim.Controller) {
		for _, p := range b.players {
			cert, e := eveapi.ParseDeviceCert(p.Device.PEM)
			if e != nil {
				err = e
				return
			}
			d, ok := c.Fleet().ByCert(cert.Hash)
			if !ok {
				err = fmt.Errorf("the controller does not know device %s", p.Serial)
				return
			}
			if _, err = d.SetConfig(fleet.Change{Config: cfg, At: time.Now()}); err != nil {
				return
			}
			raw, hash, _ := d.ConfigBytes()
			size = len(raw)
			p.UUID, p.Hash = d.UUID(), hash+"."+c.CertsHash()
		}
	})
	return size, firstError(err, e)
}

// prove has one device check what it is answered as a device does: certificates, signature,
// content.
func (b *controllerBench) prove() error {
	p := b.players[0].Client
	p.Send, p.Now, p.Hash = client.Over(b.links[0], b.server.URL()), time.Now, ""
	if err := p.FetchCerts(); err != nil {
		return err
	}
	cfg, _, err := p.FetchConfig()
	if err == nil && cfg.GetId().GetUuid() != p.UUID {
		err = fmt.Errorf("device %s is given a configuration for %s", p.UUID, cfg.GetId().GetUuid())
	}
	return err
}

// sign makes the devices' requests for a configuration, with the hash of the current one or none.
func (b *controllerBench) sign(current bool) error {
	for _, p := range b.players {
		have := ""
		if current {
			have = p.Hash
		}
		var err error
		if p.ask, err = p.Device.Seal(eveapi.ConfigRequestBody(have, nil), nil); err != nil {
			return err
		}
	}
	return nil
}

// ask has the devices ask for their configurations over TLS, one after the other from each link,
// and returns how many are answered with a code in a second.
func (b *controllerBench) ask(ctx context.Context, code int) (float64, error) {
	return b.each(ctx, b.requests, func(l *http.Client, i int) error {
		c := b.players[i%len(b.players)].Client
		c.Send = client.Over(l, b.server.URL())
		return expect(code)(c.PostRaw(eveapi.Config, b.players[i%len(b.players)].ask))
	})
}

// handle gives the same requests to the handler.
func (b *controllerBench) handle(code int) (rate float64, err error) {
	e := b.server.Do(func(x *controllersim.Controller) {
		began := time.Now()
		for i := range b.requests {
			p := b.players[i%len(b.players)]
			c := p.Client
			c.Send = func(r controllersim.Request) (controllersim.Response, error) {
				return x.Handle(time.Now(), r), nil
			}
			if err = expect(code)(c.PostRaw(eveapi.Config, p.ask)); err != nil {
				return
			}
		}
		rate = float64(b.requests) / time.Since(began).Seconds()
	})
	return rate, firstError(err, e)
}

// each spreads n requests over the links and returns how many end in a second.
func (b *controllerBench) each(ctx context.Context, n int, f func(l *http.Client, i int) error) (
	float64, error,
) {
	var next atomic.Int64
	var all sync.WaitGroup
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	began := time.Now()
	for _, l := range b.links {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(l, i); err != nil {
					stop(fmt.Errorf("request %d: %w", i, err))
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(began).Seconds(), context.Cause(ctx)
}

// expect refuses answers with another code.
func expect(code int) func(controllersim.Response, error) error {
	return func(r controllersim.Response, err error) error {
		if err == nil && r.Code != code {
			err = fmt.Errorf("the controller answered %d, not %d", r.Code, code)
		}
		return err
	}
}

// firstError is the first that is not nil.
func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
