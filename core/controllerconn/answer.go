package controllerconn

import (
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
)

// answered looks at the attempt under way.
func (s *step) answered() {
	call := s.c.send.Get(s.x.Name)
	switch call.Phase {
	case agent.None:
		// The call went with nobody knowing how it ended: this attempt counts as not made.
		s.moved = true
		s.next()
	case agent.Failed:
		a := refused(call.Fault, s.x.Proxy != "")
		a.Took = call.Ended - call.Began
		a.Sent = len(s.x.Request.Payload)
		s.note(a)
		s.next()
	case agent.Done:
		s.judge(call.Res)
	}
}

// judge decides whether an answer ends the exchange.
func (s *step) judge(res *web.SendRes) {
	r := &s.x.Request
	a := Attempt{
		Code: res.Code, Class: classOf(res.Code), Sent: len(r.Payload), Recv: res.Received(),
		Took: res.Took,
	}
	final := accepted(res.Code) || !s.x.Test && (res.Code == 403 || r.Bail && res.Code >= 400)
	switch {
	case !res.WithTLS && s.secure():
		a.Class, a.Error, final = StatusNoTLS, "the answer came without TLS", false
	case !accepted(res.Code):
		a.Error = "controller answered " + codeText(res.Code)
	}
	s.note(a)
	if !final {
		s.next()
		return
	}
	s.x.Code, s.x.ContentType = res.Code, res.Get(eveapi.HeaderContentType)
	s.x.Status = a.Class
	if r.Verify && accepted(res.Code) && res.Received() > 0 {
		if _, fault := s.c.OpenKept(res.Body, res.Kept); fault != nil {
			s.x.Status = classOfFault(fault.Code)
			s.end(StageFailed, "answer of the controller: "+fault.Error())
			return
		}
	}
	s.end(StageDone, "")
}

// classOf is the class of an HTTP status.
func classOf(code int) SenderStatus {
	switch code {
	case 503:
		return StatusUpgrade
	case 404, 400:
		return StatusNotFound
	case 403:
		return StatusForbidden
	}
	return StatusNone
}

func classOfFault(code eveapi.Code) SenderStatus {
	switch code {
	case eveapi.CertMiss:
		return StatusCertMiss
	case eveapi.SignVerifyFail:
		return StatusSignVerifyFail
	case eveapi.AlgoFail:
		return StatusAlgoFail
	case eveapi.HashSizeError:
		return StatusHashSizeError
	}
	return StatusMalformed
}

// refused is the attempt that got no answer.
func refused(f *agent.Fault, proxied bool) Attempt {
	a := Attempt{Error: f.Text}
	switch f.Code {
	case web.FaultConnRefused:
		if !proxied {
			a.Class = StatusRefused
		}
	case web.FaultCertInvalid:
		a.Class = StatusCertInvalid
	case web.FaultCertUnknown:
		a.Class = StatusCertUnknownAuthority
		if proxied {
			a.Class = StatusCertUnknownAuthorityProxy
		}
	case web.FaultNoAddress, web.FaultNoDNS:
		a.NotReady = true
	}
	return a
}

// describe joins the errors of attempts into one line for people.
func describe(list []Attempt) string {
	var b strings.Builder
	for _, a := range list {
		if a.Error == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(a.IfName)
		if a.Source != "" {
			b.WriteString(" (" + a.Source + ")")
		}
		b.WriteString(": " + a.Error)
	}
	return b.String()
}

var codeNames = []struct {
	code int
	name string
}{
	{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
	{407, "Proxy Authentication Required"}, {408, "Request Timeout"}, {409, "Conflict"},
	{422, "Unprocessable Content"}, {429, "Too Many Requests"}, {500, "Internal Server Error"},
	{502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
}

// codeText is an HTTP status for people.
func codeText(code int) string {
	for _, n := range codeNames {
		if n.code == code {
			return strconv.Itoa(code) + " " + n.name
		}
	}
	return strconv.Itoa(code)
}
