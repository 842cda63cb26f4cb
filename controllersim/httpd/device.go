package httpd

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
)

// serveDevice answers one request of a device. What it changed in the fleet is saved before the
// answer leaves, so that a device never knows more than a restarted controller.
func (s *Server) serveDevice(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, eveapi.MaxEnvelope))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	req := controllersim.Request{
		Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body, ClientIP: ip,
	}
	s.mu.Lock()
	before := s.controller.Fleet().Revision()
	answer := s.controller.Handle(s.opts.Now(), req)
	after := s.controller.Fleet().Revision()
	s.mu.Unlock()
	if answer.Again > 0 {
		s.again(req, answer.Again)
	}
	// A repeated registration is answered only if the first one is saved.
	route, _ := eveapi.ParsePath(req.Path)
	if s.saver != nil && (after != before || route.Endpoint == eveapi.Register) {
		if err := s.saver.flush(after); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	if answer.Delay > 0 && !s.pause(w, r, answer.Delay) {
		return
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	if len(answer.Body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(answer.Body)))
	}
	if answer.Header.Get(eveapi.HeaderContentType) == "" {
		// Keeps net/http from guessing one: a missing type may be what a fault asks for.
		w.Header()[eveapi.HeaderContentType] = nil
	}
	if answer.Broken {
		if half := len(answer.Body) / 2; half > 0 {
			_, _ = w.Write(answer.Body[:half])
			_ = http.NewResponseController(w).Flush() // what cannot be sent is lost anyway
		}
		panic(http.ErrAbortHandler) // how net/http is told to end the connection
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body) // a device that has left needs no answer
}

// again hands a request in once more after a while, unless the server stops first. What it changes
// is saved with the next answer.
func (s *Server) again(req controllersim.Request, after time.Duration) {
	req.Late, req.Header = true, req.Header.Clone()
	s.wait.Go(func() {
		t := time.NewTimer(after)
		defer t.Stop()
		select {
		case <-t.C:
			s.mu.Lock()
			defer s.mu.Unlock()
			s.controller.Handle(s.opts.Now(), req)
		case <-s.stopping.Done():
		}
	})
}

// pause waits, unless the client leaves or the server stops first.
func (s *Server) pause(w http.ResponseWriter, r *http.Request, d time.Duration) bool {
	// The deadline for reading the request would end the pause as well.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // without deadlines needs none
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
	case <-s.stopping.Done():
	}
	return false
}
