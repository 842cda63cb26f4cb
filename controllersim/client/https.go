package client

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
)

// Over sends requests to a controller at a URL ("https://host:port").
func Over(h *http.Client, url string) func(controllersim.Request) (controllersim.Response, error) {
	return func(req controllersim.Request) (controllersim.Response, error) {
		out, err := http.NewRequest(req.Method, url+req.Path, bytes.NewReader(req.Body))
		if err != nil {
			return controllersim.Response{}, fmt.Errorf("send %s: %w", req.Path, err)
		}
		out.Header = req.Header
		in, err := h.Do(out)
		if err != nil {
			return controllersim.Response{}, fmt.Errorf("send %s: %w", req.Path, err)
		}
		body, err := io.ReadAll(io.LimitReader(in.Body, eveapi.MaxEnvelope+1))
		if cerr := in.Body.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return controllersim.Response{}, fmt.Errorf("read answer to %s: %w", req.Path, err)
		}
		return controllersim.Response{Code: in.StatusCode, Header: in.Header, Body: body}, nil
	}
}
