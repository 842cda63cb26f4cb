package controllersim

import (
	"net/http"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
)

// Request is one HTTP request of a device.
type Request struct {
	// Method is GET or POST.
	Method string
	// Path is the URL's path, without a query.
	Path string
	// Header holds the headers, with canonical names.
	Header http.Header
	// Body is the whole body. The controller keeps parts of it: it must not be changed afterwards.
	Body []byte
	// ClientIP is where it came from, for the log alone.
	ClientIP string
	// Late says that it is one that Response.Again had come in again: nobody waits for its answer,
	// and no fault is about it.
	Late bool
}

// Response is what to send back.
type Response struct {
	// Code is the HTTP status.
	Code int
	// Header holds the headers; nil for an answer without a body.
	Header http.Header
	// Body is the whole body.
	Body []byte
	// Delay is how long to wait before sending, as a fault asked for.
	Delay time.Duration
	// Broken says to end the connection when half of the body has gone out.
	Broken bool
	// Again asks for the same request to be handed in once more after so long, as one that is Late;
	// 0 does not.
	Again time.Duration
}

// reply is a response together with what the log says of it.
type reply struct {
	Response
	note string
}

func refuse(code int, note string) reply {
	return reply{Response{Code: code}, note}
}

// protoHeader is the header of each answer with a body.
func protoHeader() http.Header {
	return http.Header{eveapi.HeaderContentType: {eveapi.ContentType}}
}
