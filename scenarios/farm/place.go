package farm

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Place says where the server of a farm is.
type Place struct {
	// Embed: the server runs in this process, at Host and Port; port 0 is any free one.
	Embed bool
	Host  string
	Port  int
	// User and Password, or Token, are what clients of an embedded server must show; without them a
	// token is drawn.
	User, Password, Token string
	// URL is what to connect to, credentials included; empty if Embed.
	URL string
}

// errPlace is how the address of a farm looks.
var errPlace = errors.New("want nats://[TOKEN@|USER:PASSWORD@]HOST:PORT (or tls://), embed, or" +
	" embed://[TOKEN@|USER:PASSWORD@]ADDRESS:PORT")

// ParsePlace reads where a farm is: nats://host:port, with a token or a user before it, several of
// a cluster separated by commas; embed for a server in this process that only this machine reaches;
// embed://0.0.0.0:4222 for one that others reach, too.
func ParsePlace(text string) (*Place, error) {
	if text == "embed" {
		return &Place{Embed: true, Host: "127.0.0.1"}, nil
	}
	var p Place
	for one := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(one)
		if err != nil {
			return nil, errPlace // the error of net/url would show what may be a password
		}
		if u.Host == "" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return nil, fmt.Errorf("%s: %w", safe(u), errPlace)
		}
		switch u.Scheme {
		case "nats", "tls":
		case "embed":
			if one != text {
				return nil, fmt.Errorf("%s: a server in this process is one alone", safe(u))
			}
			return embedded(u)
		default:
			return nil, fmt.Errorf("%s: %w", safe(u), errPlace)
		}
	}
	p.URL = text
	return &p, nil
}

// embedded reads embed://.
func embedded(u *url.URL) (*Place, error) {
	p := &Place{Embed: true, Host: u.Hostname()}
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%s: port %s: %w", safe(u), u.Port(), errPlace)
		}
		p.Port = int(n)
	}
	if net.ParseIP(p.Host) == nil && p.Host != "localhost" {
		return nil, fmt.Errorf("%s: the server listens at an address of this machine, %q is none",
			safe(u), p.Host)
	}
	if u.User != nil {
		if word, has := u.User.Password(); has {
			p.User, p.Password = u.User.Username(), word
		} else {
			p.Token = u.User.Username()
		}
	}
	return p, nil
}

// String is the place without credentials.
func (p *Place) String() string {
	if p.Embed {
		return "embed://" + net.JoinHostPort(p.Host, strconv.Itoa(p.Port))
	}
	var out []string
	for one := range strings.SplitSeq(p.URL, ",") {
		if u, err := url.Parse(one); err == nil {
			out = append(out, safe(u))
		}
	}
	return strings.Join(out, ",")
}

// safe is an address without credentials.
func safe(u *url.URL) string {
	plain := *u
	plain.User = nil
	return plain.String()
}
