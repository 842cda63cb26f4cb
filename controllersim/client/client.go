// Package client plays a device toward a controller, as far as the protocol goes: it onboards, asks
// for its configuration and reports. Tests and benchmarks use it; it is no device, since it has
// nothing to configure.
package client

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
)

// Signer is a key with its certificate.
type Signer struct {
	// Key signs.
	Key *ecdsa.PrivateKey
	// DER and PEM are the certificate.
	DER, PEM []byte
}

// NewSigner makes a key and a self-signed certificate that depend on a name alone.
func NewSigner(name string) (*Signer, error) {
	key := controllersim.DeriveKey([]byte("client"), name)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}
	tmpl.Subject.CommonName = name
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make certificate %s: %w", name, err)
	}
	return &Signer{key, der, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, nil
}

// Seal signs a payload. sender is the signer's PEM for register, nil else.
func (s *Signer) Seal(payload, sender []byte) ([]byte, error) {
	digest := eveapi.Digest(payload)
	sig, err := s.Key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign %d bytes: %w", len(payload), err)
	}
	rs, err := eveapi.RawSignature(sig)
	if err != nil {
		return nil, err
	}
	return eveapi.Seal(payload, rs, eveapi.DeviceCertHash(s.DER), sender), nil
}

// Client is a device. It is for one goroutine.
type Client struct {
	// Send carries a request to the controller and brings its answer.
	Send func(controllersim.Request) (controllersim.Response, error)
	// Now is the device's clock.
	Now func() time.Time
	// RootPEM is what certificates must chain to.
	RootPEM []byte
	// Onboard and Device are its two keys.
	Onboard, Device *Signer
	// Serial is its product serial.
	Serial string

	// UUID is known after AskUUID.
	UUID string
	// Certs are known after FetchCerts.
	Certs *eveapi.ControllerCerts
	// Hash is that of the configuration received last.
	Hash string
}

// New makes a device with the onboarding key of a controller.
func New(c *controllersim.Controller, name string) (*Client, error) {
	device, err := NewSigner(name)
	if err != nil {
		return nil, err
	}
	cert, _, err := c.OnboardPEM()
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(cert)
	return &Client{
		RootPEM: c.RootPEM(), Device: device, Serial: name,
		Onboard: &Signer{c.OnboardKey(), block.Bytes, cert},
	}, nil
}

// Get sends a GET request.
func (c *Client) Get(e eveapi.Endpoint) (controllersim.Response, error) {
	return c.send("GET", e, nil)
}

// Post signs a payload with the device's key and sends it.
func (c *Client) Post(e eveapi.Endpoint, payload []byte) (controllersim.Response, error) {
	body, err := c.Device.Seal(payload, nil)
	if err != nil {
		return controllersim.Response{}, err
	}
	return c.PostRaw(e, body)
}

// PostRaw sends a body as it is.
func (c *Client) PostRaw(e eveapi.Endpoint, body []byte) (controllersim.Response, error) {
	return c.send("POST", e, body)
}

func (c *Client) send(method string, e eveapi.Endpoint, body []byte) (
	controllersim.Response, error,
) {
	header := http.Header{}
	sender := eveapi.Sender{RequestID: "client", Onboarded: c.UUID != "", Serial: c.Serial}
	for _, h := range eveapi.RequestHeaders(sender, method == "POST") {
		header.Set(h.Name, h.Value)
	}
	return c.Send(controllersim.Request{
		Method: method, Path: eveapi.Route{Endpoint: e, Device: c.UUID}.Path(), Header: header,
		Body: body,
	})
}

// Register registers and returns the status.
func (c *Client) Register() (int, error) {
	payload, err := eveapi.RegisterBody(
		eveapi.Registration{CertPEM: c.Device.PEM, Serial: c.Serial})
	if err != nil {
		return 0, err
	}
	body, err := c.Onboard.Seal(payload, c.Onboard.PEM)
	if err != nil {
		return 0, err
	}
	r, err := c.PostRaw(eveapi.Register, body)
	return r.Code, err
}

// FetchCerts fetches and validates the controller's certificates.
func (c *Client) FetchCerts() error {
	r, err := c.Get(eveapi.Certs)
	if err != nil {
		return err
	}
	if r.Code != http.StatusOK || !eveapi.IsProto(r.Header.Get(eveapi.HeaderContentType)) {
		return fmt.Errorf("fetch certificates: status %d, headers %v", r.Code, r.Header)
	}
	cc, err := eveapi.OpenControllerCerts(r.Body, c.RootPEM, c.Now(), eveapi.CertOptions{})
	if err != nil {
		return fmt.Errorf("fetch certificates: %w", err)
	}
	c.Certs = cc
	return nil
}

// AskUUID asks the controller who the device is.
func (c *Client) AskUUID() error {
	r, err := c.Post(eveapi.UUID, eveapi.UUIDRequestBody())
	if err != nil {
		return err
	}
	if r.Code != http.StatusOK {
		return fmt.Errorf("ask for UUID: status %d", r.Code)
	}
	payload, fault := eveapi.Open(r.Body, c.Certs.Trusted())
	if fault != nil {
		return fmt.Errorf("ask for UUID: %w", fault)
	}
	id, err := eveapi.ParseUUIDResponse(payload)
	if err != nil {
		return err
	}
	c.UUID = id.UUID
	return nil
}

// OnboardFully goes certs, register, uuid, as a device does at its first boot.
func (c *Client) OnboardFully() error {
	if err := c.FetchCerts(); err != nil {
		return err
	}
	code, err := c.Register()
	if err != nil {
		return err
	}
	if code != http.StatusCreated && code != http.StatusOK {
		return fmt.Errorf("register: status %d", code)
	}
	return c.AskUUID()
}

// FetchConfig asks for the configuration by the hash of the last one. Without status 200 there is
// none; an answer that cannot be believed is a *eveapi.Fault in the error.
func (c *Client) FetchConfig() (*config.EdgeDevConfig, int, error) {
	r, err := c.Post(eveapi.Config, eveapi.ConfigRequestBody(c.Hash, nil))
	if err != nil || r.Code != http.StatusOK {
		return nil, r.Code, err
	}
	payload, fault := eveapi.Open(r.Body, c.Certs.Trusted())
	if fault != nil {
		return nil, r.Code, fmt.Errorf("fetch configuration: %w", fault)
	}
	cfg, hash, err := eveapi.ParseConfigResponse(payload)
	if err != nil {
		return nil, r.Code, fmt.Errorf("fetch configuration: %w", err)
	}
	c.Hash = hash
	return cfg, r.Code, nil
}
