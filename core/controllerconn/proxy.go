package controllerconn

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/evetwin/evetwin/core/topics/network"
)

// Errors of proxy settings that cannot be carried out.
var (
	// ErrPAC: a proxy auto-configuration script would have to be run.
	ErrPAC = errors.New("proxy auto-configuration (PAC) is not supported")
	// ErrWPAD: a script would have to be discovered first.
	ErrWPAD = errors.New("web proxy auto-discovery (WPAD) is not supported")
)

// ProxyFor is the URL of the proxy that a port's settings name for a target URL, empty for none.
// Of explicit proxies the one for the target's scheme counts; SOCKS and FTP are read and never
// used. The exceptions are those of the variable NO_PROXY: "*", addresses with or without port,
// networks, "domain" with all below it, ".domain" for what is below it only. Loopback never has a
// proxy.
func ProxyFor(cfg *network.ProxyConfig, target string) (string, error) {
	switch {
	case cfg.Pacfile != "":
		return "", ErrPAC
	case cfg.NetworkProxyEnable:
		return "", ErrWPAD
	case len(cfg.Proxies) == 0:
		return "", nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("find proxy for %q: %w", target, err)
	}
	hp := httpproxy.Config{NoProxy: cfg.Exceptions}
	for _, e := range cfg.Proxies {
		switch e.Type {
		case network.ProxyHTTP:
			hp.HTTPProxy = server(e)
		case network.ProxyHTTPS:
			hp.HTTPSProxy = server(e)
		}
	}
	proxy, err := hp.ProxyFunc()(u)
	if err != nil {
		return "", fmt.Errorf("find proxy for %q: %w", target, err)
	}
	if proxy == nil {
		return "", nil
	}
	return proxy.String(), nil
}

// server is the address of a proxy: its port is joined unless the server names one already.
func server(e network.ProxyEntry) string {
	s := strings.TrimSuffix(strings.TrimSpace(e.Server), "/")
	if e.Port == 0 || s == "" {
		return s
	}
	scheme, host := "", s
	if i := strings.Index(s, "://"); i >= 0 {
		scheme, host = s[:i+3], s[i+3:]
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		host = "[" + host + "]"
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		if _, err := strconv.ParseUint(host[i+1:], 10, 16); err == nil {
			return scheme + host
		}
	}
	return scheme + host + ":" + strconv.Itoa(int(e.Port))
}

// byAddress reports whether a proxy's URL names its host by address.
func byAddress(proxy string) bool {
	if proxy == "" {
		return false
	}
	u, err := url.Parse(proxy)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil
}
