package source

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/device/operator"
)

// PortUsage says what is typed for SetPort.
const PortUsage = "dhcp, or static ADDRESS/LENGTH [gateway A] [dns A,A]; [ntp H,H] [domain D] " +
	"[proxy none, or URL,URL] [except H,H]"

// Wish is what a request asks of the agent monitor; ok is false where it is for others. The text of
// SetPort are words, as PortUsage has them; whether they make sense is for the agent to say.
func (r Request) Wish() (q operator.RequestSeen, ok bool, err error) {
	switch r.Verb {
	case SetServer:
		q = operator.RequestSeen{Kind: operator.SetServer, Server: strings.TrimSpace(r.Text)}
	case RevertPorts:
		q = operator.RequestSeen{Kind: operator.Revert}
	case SetPort:
		q.Kind = operator.SetInterface
		if q.Interface, err = readPort(r.Target, strings.Fields(r.Text)); err != nil {
			err = fmt.Errorf("request %s: %w; it is %s", r.Verb, err, PortUsage)
		}
	default:
		return q, false, nil
	}
	return q, true, err
}

// readPort reads how a port is to be.
func readPort(name string, words []string) (*operator.Interface, error) {
	out := &operator.Interface{Name: name}
	next := func() (string, bool) {
		if len(words) == 0 {
			return "", false
		}
		w := words[0]
		words = words[1:]
		return w, true
	}
	out.Mode, _ = next()
	if out.Mode == operator.ModeStatic {
		out.Address, _ = next()
	}
	for {
		key, more := next()
		if !more {
			return out, nil
		}
		value, has := next()
		if !has {
			return nil, fmt.Errorf("nothing stands behind %q", key)
		}
		if err := setField(out, key, value); err != nil {
			return nil, err
		}
	}
}

// setField sets one field of a port.
func setField(out *operator.Interface, key, value string) (err error) {
	list := strings.Split(value, ",")
	switch key {
	case "gateway":
		out.Gateway = value
	case "subnet":
		out.Subnet = value
	case "dns":
		out.DNSServers = list
	case "ntp":
		out.NTP = list
	case "domain":
		out.Domain = value
	case "except":
		out.Proxy.Exceptions = list
	case "proxy":
		if out.Proxy.Mode = operator.ProxyNone; value == operator.ProxyNone {
			return nil
		}
		out.Proxy.Mode = operator.ProxyManual
		for _, text := range list {
			u, err := url.Parse(text)
			if err != nil || u.Host == "" {
				return fmt.Errorf("proxy %q is no URL", text)
			}
			port, err := strconv.ParseUint(u.Port(), 10, 16)
			if err != nil {
				return fmt.Errorf("proxy %q has no port", text)
			}
			out.Proxy.Servers = append(out.Proxy.Servers, operator.ProxyServer{Scheme: u.Scheme,
				Host: u.Hostname(), Port: uint16(port)})
		}
	default:
		return fmt.Errorf("%q is nothing that a port has", key)
	}
	return nil
}
