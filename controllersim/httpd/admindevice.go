package httpd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi/readjson"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// device is a device in JSON.
type device struct {
	UUID       string    `json:"uuid"`
	Name       string    `json:"name"`
	Serial     string    `json:"serial,omitempty"`
	SoftSerial string    `json:"soft_serial,omitempty"`
	Cert       string    `json:"cert,omitempty"`
	Registered bool      `json:"registered"`
	Version    string    `json:"config_version"`
	LastSeen   time.Time `json:"last_seen,omitzero"`
}

func describe(d *fleet.Device) device {
	serial, soft := d.Serials()
	_, _, version := d.ConfigBytes()
	return device{
		UUID: d.UUID(), Name: d.Name(), Serial: serial, SoftSerial: soft,
		Cert: string(d.CertPEM()), Registered: d.Registered(), Version: version,
		LastSeen: d.LastSeen(),
	}
}

// find is the device that a request names by UUID or name.
func find(c *controllersim.Controller, r *http.Request) (*fleet.Device, error) {
	id := r.PathValue("id")
	if d, ok := c.Fleet().Device(strings.ToLower(id)); ok {
		return d, nil
	}
	if d, ok := c.Fleet().ByName(id); ok {
		return d, nil
	}
	return nil, fmt.Errorf("device %q: %w", id, fleet.ErrUnknown)
}

// with runs f with the device that a request names.
func (s *Server) with(r *http.Request, f func(*fleet.Device) error) error {
	return s.do(func(c *controllersim.Controller) error {
		d, err := find(c, r)
		if err != nil {
			return err
		}
		return f(d)
	})
}

func (s *Server) getDevices(w http.ResponseWriter, _ *http.Request) {
	list := []device{}
	err := s.do(func(c *controllersim.Controller) error {
		for _, d := range c.Fleet().Devices() {
			list = append(list, describe(d))
		}
		return nil
	})
	answer(w, http.StatusOK, list, err)
}

func (s *Server) postDevice(w http.ResponseWriter, r *http.Request) {
	var in struct {
		UUID, Name, Serial, Cert, Manufacturer, Product string
	}
	var out device
	err := readJSON(w, r, &in)
	if err == nil {
		n := fleet.NewDevice{
			UUID: in.UUID, Name: in.Name, Serial: in.Serial,
			Manufacturer: in.Manufacturer, Product: in.Product,
		}
		if in.Cert != "" {
			n.CertPEM = []byte(in.Cert)
		}
		err = s.do(func(c *controllersim.Controller) error {
			d, err := c.Fleet().AddDevice(n)
			if err != nil {
				return fmt.Errorf("%w: %w", errBad, err)
			}
			out = describe(d)
			return nil
		})
	}
	answer(w, http.StatusCreated, out, err)
}

func (s *Server) getDevice(w http.ResponseWriter, r *http.Request) {
	var out device
	err := s.with(r, func(d *fleet.Device) error {
		out = describe(d)
		return nil
	})
	answer(w, http.StatusOK, out, err)
}

func (s *Server) deleteDevice(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusNoContent, nil, s.do(func(c *controllersim.Controller) error {
		d, err := find(c, r)
		if err != nil {
			return err
		}
		return c.Fleet().Remove(d.UUID())
	}))
}

func (s *Server) getConfig(w http.ResponseWriter, r *http.Request) {
	var text []byte
	var version string
	err := s.with(r, func(d *fleet.Device) error {
		cfg, v, err := d.Config()
		if err != nil {
			return err
		}
		version = v
		text, err = compactJSON(cfg)
		return err
	})
	if err == nil {
		w.Header().Set("ETag", `"`+version+`"`)
	}
	answer(w, http.StatusOK, json.RawMessage(text), err)
}

func (s *Server) putConfig(w http.ResponseWriter, r *http.Request) {
	var version string
	body, err := readBody(w, r)
	if err != nil {
		answer(w, 0, nil, err)
		return
	}
	cfg, unknown, err := readjson.ReadConfigJSON("body", body)
	if err != nil {
		answer(w, 0, nil, fmt.Errorf("%w: %w", errBad, err))
		return
	}
	err = s.with(r, func(d *fleet.Device) error {
		version, err = d.SetConfig(fleet.Change{
			Config: cfg, At: s.opts.Now(), If: strings.Trim(r.Header.Get("If-Match"), `"*`),
		})
		return err
	})
	if err == nil {
		w.Header().Set("ETag", `"`+version+`"`)
	}
	answer(w, http.StatusOK, map[string]any{
		"version": version, "unknown_fields": append([]string{}, unknown...),
	}, err)
}

func (s *Server) getRequests(w http.ResponseWriter, r *http.Request) {
	list := []request{}
	err := s.with(r, func(d *fleet.Device) error {
		for _, l := range d.Requests() {
			list = append(list, request{l.At, l.ClientIP, l.Method, l.Path, l.Code, l.Note})
		}
		return nil
	})
	answer(w, http.StatusOK, list, err)
}

// request is an entry of the request log in JSON.
type request struct {
	At       time.Time `json:"at"`
	ClientIP string    `json:"client_ip"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Code     int       `json:"code"`
	Note     string    `json:"note,omitempty"`
}

// compactJSON is a message as JSON without spaces, which protojson puts in at its whim.
func compactJSON(m proto.Message) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: false}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write %s as JSON: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil, fmt.Errorf("write %s as JSON: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return out.Bytes(), nil
}
