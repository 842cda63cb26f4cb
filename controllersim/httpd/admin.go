package httpd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
)

// maxAdminBody is the largest body the admin interface takes: a configuration as large as devices
// do, in JSON.
const maxAdminBody = 4 * eveapi.MaxEnvelope

// adminHandler is the admin interface; doc.go has its table.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/v1/status", s.getStatus)
	mux.HandleFunc("GET /admin/v1/root.pem", s.getRoot)
	mux.HandleFunc("POST /admin/v1/rotate", s.postRotate)
	mux.HandleFunc("GET /admin/v1/devices", s.getDevices)
	mux.HandleFunc("POST /admin/v1/devices", s.postDevice)
	mux.HandleFunc("GET /admin/v1/devices/{id}", s.getDevice)
	mux.HandleFunc("DELETE /admin/v1/devices/{id}", s.deleteDevice)
	mux.HandleFunc("GET /admin/v1/devices/{id}/config", s.getConfig)
	mux.HandleFunc("PUT /admin/v1/devices/{id}/config", s.putConfig)
	mux.HandleFunc("GET /admin/v1/devices/{id}/requests", s.getRequests)
	for _, kind := range []eveapi.Endpoint{
		eveapi.Info, eveapi.Metrics, eveapi.FlowLog, eveapi.HardwareHealth,
	} {
		mux.HandleFunc("GET /admin/v1/devices/{id}/"+string(kind), s.getReports(kind))
	}
	mux.HandleFunc("GET /admin/v1/onboards", s.getOnboards)
	mux.HandleFunc("POST /admin/v1/onboards", s.postOnboard)
	mux.HandleFunc("DELETE /admin/v1/onboards/{name}", s.deleteOnboard)
	mux.HandleFunc("GET /admin/v1/faults", s.getFaults)
	mux.HandleFunc("POST /admin/v1/faults", s.postFault)
	mux.HandleFunc("DELETE /admin/v1/faults", s.deleteFaults)
	mux.HandleFunc("DELETE /admin/v1/faults/{name}", s.deleteFault)
	return authorized(s.token, mux)
}

// errBad marks a body that cannot be read.
var errBad = errors.New("bad request")

// answer sends v as JSON with a code, or the error with the code that belongs to it.
func answer(w http.ResponseWriter, code int, v any, err error) {
	switch {
	case err == nil:
	case errors.Is(err, fleet.ErrUnknown):
		fail(w, http.StatusNotFound, err)
		return
	case errors.Is(err, fleet.ErrStale), errors.Is(err, fleet.ErrConflict):
		fail(w, http.StatusConflict, err)
		return
	case errors.Is(err, errBad):
		fail(w, http.StatusBadRequest, err)
		return
	default:
		fail(w, http.StatusInternalServerError, err)
		return
	}
	if v == nil {
		w.WriteHeader(code)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client has left
}

func fail(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // as above
}

// do runs f with the controller and saves what it changed. f's error counts before the save's.
func (s *Server) do(f func(*controllersim.Controller) error) error {
	var err error
	saved := s.Do(func(c *controllersim.Controller) { err = f(c) })
	if err != nil {
		return err
	}
	return saved
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if err != nil {
		return nil, fmt.Errorf("%w: read body: %w", errBad, err)
	}
	return body, nil
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", errBad, err)
	}
	return nil
}

// status is the answer of GET status.
type status struct {
	URL        string    `json:"url"`
	Generation int       `json:"generation"`
	Devices    int       `json:"devices"`
	Revision   uint64    `json:"revision"`
	Time       time.Time `json:"time"`
}

func (s *Server) getStatus(w http.ResponseWriter, _ *http.Request) {
	st := status{URL: s.url, Time: s.opts.Now().UTC()}
	err := s.do(func(c *controllersim.Controller) error {
		st.Generation, st.Devices = c.Generation(), c.Fleet().Len()
		st.Revision = c.Fleet().Revision()
		return nil
	})
	answer(w, http.StatusOK, st, err)
}

func (s *Server) getRoot(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(s.RootPEM()) // the client has left
}

// RootPEM is the controller's root certificate.
func (s *Server) RootPEM() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.controller.RootPEM()
}

// OnboardPEM is an onboarding certificate with its key that the controller accepts for any serial.
func (s *Server) OnboardPEM() (cert, key []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.controller.OnboardPEM()
}

func (s *Server) postRotate(w http.ResponseWriter, _ *http.Request) {
	var st status
	err := s.do(func(c *controllersim.Controller) error {
		err := c.Rotate()
		st.Generation = c.Generation()
		return err
	})
	answer(w, http.StatusOK, map[string]int{"generation": st.Generation}, err)
}

func (s *Server) getOnboards(w http.ResponseWriter, _ *http.Request) {
	list := []onboard{}
	err := s.do(func(c *controllersim.Controller) error {
		for _, o := range c.Fleet().Onboards() {
			list = append(list, onboard{o.Name, string(o.CertPEM), o.Serials})
		}
		return nil
	})
	answer(w, http.StatusOK, list, err)
}

// onboard is an onboarding certificate in JSON.
type onboard struct {
	Name    string   `json:"name"`
	Cert    string   `json:"cert"`
	Serials []string `json:"serials"`
}

func (s *Server) postOnboard(w http.ResponseWriter, r *http.Request) {
	var in onboard
	err := readJSON(w, r, &in)
	if err == nil {
		err = s.do(func(c *controllersim.Controller) error {
			o, err := c.Fleet().AddOnboard([]byte(in.Cert), in.Serials...)
			if err != nil {
				return fmt.Errorf("%w: %w", errBad, err)
			}
			in.Name = o.Name
			return nil
		})
	}
	answer(w, http.StatusCreated, in, err)
}

func (s *Server) deleteOnboard(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusNoContent, nil, s.do(func(c *controllersim.Controller) error {
		return c.Fleet().RemoveOnboard(r.PathValue("name"))
	}))
}

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) {
	var list []controllersim.Fault
	err := s.do(func(c *controllersim.Controller) error {
		list = c.Faults()
		return nil
	})
	answer(w, http.StatusOK, list, err)
}

func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var in controllersim.Fault
	err := readJSON(w, r, &in)
	if err == nil {
		err = s.do(func(c *controllersim.Controller) error {
			if err := c.SetFault(in); err != nil {
				return fmt.Errorf("%w: %w", errBad, err)
			}
			return nil
		})
	}
	answer(w, http.StatusCreated, in, err)
}

func (s *Server) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusNoContent, nil, s.do(func(c *controllersim.Controller) error {
		c.ClearFaults()
		return nil
	}))
}

func (s *Server) deleteFault(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusNoContent, nil, s.do(func(c *controllersim.Controller) error {
		if name := r.PathValue("name"); !c.ClearFault(name) {
			return fmt.Errorf("fault %q: %w", name, fleet.ErrUnknown)
		}
		return nil
	}))
}
