package monitor

import (
	"encoding/json"
	"errors"
	"fmt"

	device "github.com/evetwin/evetwin/core/device/operator"
)

// request is what a terminal asks for; without an id nobody can be answered.
type request struct {
	id   *uint64
	seen device.RequestSeen
}

// interfaceConfig is EVE's SetInterfaceConfig.
type interfaceConfig struct {
	Iface string `json:"iface"`
	IP    struct {
		Mode   string `json:"mode"`
		Config struct {
			IP         string   `json:"ip"`
			Subnet     string   `json:"subnet"`
			Gateway    string   `json:"gateway"`
			DNSServers []string `json:"dnsServers"`
		} `json:"config"`
	} `json:"ip"`
	Proxy struct {
		Mode    string `json:"mode"`
		Servers []struct {
			Scheme string `json:"scheme"`
			Host   string `json:"host"`
			Port   uint16 `json:"port"`
		} `json:"servers"`
		Exceptions []string `json:"exceptions"`
	} `json:"proxy"`
	NTP    []string `json:"ntp"`
	Domain string   `json:"domain"`
}

// readRequest reads the JSON of a request.
func readRequest(b []byte) (request, error) {
	var x struct {
		ID   *uint64         `json:"id"`
		Type string          `json:"RequestType"`
		Data json.RawMessage `json:"RequestData"`
	}
	if err := json.Unmarshal(b, &x); err != nil {
		return request{}, fmt.Errorf("read request: %w", err)
	}
	q := request{id: x.ID, seen: device.RequestSeen{Kind: device.Kind(x.Type)}}
	if x.ID == nil {
		return q, errors.New("read request: it has no id")
	}
	var err error
	switch q.seen.Kind {
	case device.SetInterface:
		var c interfaceConfig
		err = json.Unmarshal(x.Data, &c)
		q.seen.Interface = c.wish()
	case device.SetServer:
		err = json.Unmarshal(x.Data, &q.seen.Server)
	case device.Revert:
		if len(x.Data) == 0 {
			err = errors.New("RequestData is missing")
		}
	default:
		err = fmt.Errorf("unsupported RequestType %q", x.Type)
	}
	if err != nil {
		return q, fmt.Errorf("malformed request: %w", err)
	}
	return q, nil
}

// wish is the request as the agent reads it.
func (c *interfaceConfig) wish() *device.Interface {
	out := &device.Interface{Name: c.Iface, Mode: c.IP.Mode, Address: c.IP.Config.IP,
		Subnet: c.IP.Config.Subnet, Gateway: c.IP.Config.Gateway, DNSServers: c.IP.Config.DNSServers,
		NTP: c.NTP, Domain: c.Domain,
		Proxy: device.Proxy{Mode: c.Proxy.Mode, Exceptions: c.Proxy.Exceptions}}
	for _, s := range c.Proxy.Servers {
		out.Proxy.Servers = append(out.Proxy.Servers, device.ProxyServer{Scheme: s.Scheme, Host: s.Host,
			Port: s.Port})
	}
	return out
}

// response is the answer to a request; text says why it was refused.
func response(id uint64, text string) message {
	type reply struct {
		OK  string `json:"Ok,omitempty"`
		Err string `json:"Err,omitempty"`
		ID  uint64 `json:"id"`
	}
	if text == "" {
		return message{"Response", reply{OK: "ok", ID: id}}
	}
	return message{"Response", reply{Err: text, ID: id}}
}
