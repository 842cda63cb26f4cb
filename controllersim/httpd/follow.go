package httpd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/flowlog"
	"github.com/lf-edge/eve-api/go/hardwarehealth"
	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"
	"google.golang.org/protobuf/proto"
)

// report is one line of an answer about reports.
type report struct {
	Seq     uint64          `json:"seq"`
	At      time.Time       `json:"at"`
	Type    string          `json:"type,omitempty"`
	Entity  string          `json:"entity,omitempty"`
	Message json.RawMessage `json:"message"`
}

// wanted is what a client asks for.
type wanted struct {
	since  uint64
	typ    info.ZInfoTypes
	all    bool // types
	entity string
	follow bool
}

func parseWanted(q url.Values) (wanted, error) {
	w := wanted{all: true, entity: q.Get("entity")}
	if text := q.Get("since"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return w, fmt.Errorf("%w: since=%q is no number", errBad, text)
		}
		w.since = n
	}
	if text := q.Get("type"); text != "" {
		n, known := info.ZInfoTypes_value[text]
		if !known {
			parsed, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return w, fmt.Errorf("%w: type=%q is no type of info", errBad, text)
			}
			n = int32(parsed)
		}
		w.typ, w.all = info.ZInfoTypes(n), false
	}
	if text := q.Get("follow"); text != "" {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return w, fmt.Errorf("%w: follow=%q is neither true nor false", errBad, text)
		}
		w.follow = on
	}
	return w, nil
}

// getReports sends the kept reports of a kind, a line each, and with follow those to come.
func (s *Server) getReports(kind eveapi.Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		want, err := parseWanted(r.URL.Query())
		var uuid string
		if err == nil {
			err = s.with(r, func(d *fleet.Device) error {
				uuid = d.UUID()
				return nil
			})
		}
		if err != nil {
			answer(w, 0, nil, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := http.NewResponseController(w)
		if want.follow {
			// The deadline for reading the request would end the stream as well.
			_ = out.SetReadDeadline(time.Time{}) // a connection without deadlines needs none
		}
		for {
			var news <-chan struct{}
			if want.follow {
				// Taken before reading, so that nothing falls between reading and waiting.
				news = s.changes.next(uuid)
			}
			list, ok := s.reportsSince(uuid, kind, want.since)
			if !ok {
				return
			}
			for _, rep := range list {
				want.since = rep.Seq
				if err := writeReport(w, rep, want); err != nil {
					return
				}
			}
			if !want.follow || out.Flush() != nil {
				return
			}
			select {
			case <-news:
			case <-r.Context().Done():
				return
			case <-s.stopping.Done():
				return
			}
		}
	}
}

// reportsSince is false once the device is gone.
func (s *Server) reportsSince(uuid string, kind eveapi.Endpoint, seq uint64) (
	[]fleet.Report, bool,
) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.controller.Fleet().Device(uuid)
	if !ok {
		return nil, false
	}
	return d.ReportsSince(kind, seq), true
}

func writeReport(w http.ResponseWriter, r fleet.Report, want wanted) error {
	if !want.all && r.Type != want.typ || want.entity != "" && r.Entity != want.entity {
		return nil
	}
	line := report{Seq: r.Seq, At: r.At.UTC(), Entity: r.Entity}
	var m proto.Message
	switch r.Kind {
	case eveapi.Info:
		m, line.Type = &info.ZInfoMsg{}, r.Type.String()
	case eveapi.Metrics:
		m = &metrics.ZMetricMsg{}
	case eveapi.FlowLog:
		m = &flowlog.FlowMessage{}
	default:
		m = &hardwarehealth.ZHardwareHealth{}
	}
	if err := eveapi.Unmarshal(r.Body, m); err != nil {
		return err
	}
	text, err := compactJSON(m)
	if err != nil {
		return err
	}
	line.Message = text
	return json.NewEncoder(w).Encode(line)
}
