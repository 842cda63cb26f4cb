package config

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

func oneOf(value string, names ...string) string {
	for _, n := range names {
		if value == n {
			return ""
		}
	}
	return "is not one of " + strings.Join(names, ", ")
}

func checkLogLevel(v string) string {
	return oneOf(strings.ToLower(v), "none", "panic", "fatal", "error", "warn", "warning", "info",
		"debug", "trace", "all")
}

func checkSyslogLevel(v string) string {
	return oneOf(v, "none", "emerg", "alert", "crit", "critical", "err", "error", "warning", "warn",
		"notice", "info", "debug", "all")
}

func checkBootOrder(v string) string {
	if v == "" {
		return ""
	}
	return oneOf(v, "usb", "nousb")
}

func checkDrainPolicy(v string) string {
	return oneOf(v, "block-if-contains-last-replica", "allow-if-replica-is-stopped", "always-allow",
		"block-for-eviction", "block-for-eviction-if-contains-last-replica")
}

func checkFileName(v string) string {
	if v == "." || v == ".." || strings.ContainsAny(v, "/\\\x00") {
		return "is not a plain file name"
	}
	return ""
}

func checkBase64(v string) string {
	if _, err := base64.StdEncoding.DecodeString(v); err != nil {
		return "is not base64"
	}
	return ""
}

// checkK3sVersion accepts "v1.28.5+k3s1" and nothing at all.
func checkK3sVersion(v string) string {
	const wrong = "is not a version like v1.28.5+k3s1"
	if v == "" {
		return ""
	}
	rest, ok := strings.CutPrefix(v, "v")
	core, suffix, cut := strings.Cut(rest, "+k3s")
	parts := strings.Split(core, ".")
	if !ok || !cut || len(parts) != 3 || !isNumber(suffix) {
		return wrong
	}
	for _, p := range parts {
		if !isNumber(p) {
			return wrong
		}
	}
	return ""
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

// checkHTTP accepts a host, with or without port and path, or a URL of scheme http.
func checkHTTP(v string) string { _, wrong := endpointHost(v, "http"); return wrong }

// checkHTTPS is as checkHTTP; the host must not be an address, for which no certificate would do.
func checkHTTPS(v string) string {
	host, wrong := endpointHost(v, "https")
	if wrong != "" {
		return wrong
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "names an IP address, want a host name"
	}
	return ""
}

func endpointHost(v, scheme string) (host, wrong string) {
	if !strings.Contains(v, "://") {
		v = scheme + "://" + v
	}
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" {
		return "", "is not a URL"
	}
	if u.Scheme != scheme {
		return "", "is not a URL of scheme " + scheme
	}
	return u.Hostname(), ""
}

// checkCron accepts five fields of lists of "*", numbers and ranges, each with an optional step.
func checkCron(v string) string {
	fields := strings.Fields(v)
	if len(fields) != 5 {
		return "is not a schedule of five fields"
	}
	limits := [...][2]uint64{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}}
	for i, f := range fields {
		for _, part := range strings.Split(f, ",") {
			if !cronPart(part, limits[i]) {
				return "has the field " + strconv.Quote(f) + ", which is not of a schedule"
			}
		}
	}
	return ""
}

func cronPart(part string, limit [2]uint64) bool {
	span, step, stepped := strings.Cut(part, "/")
	if n, err := strconv.ParseUint(step, 10, 16); stepped && (err != nil || n == 0) {
		return false
	}
	if span == "*" {
		return true
	}
	from, to, ranged := strings.Cut(span, "-")
	a, err := strconv.ParseUint(from, 10, 16)
	if err != nil || a < limit[0] || a > limit[1] {
		return false
	}
	if !ranged {
		return true
	}
	b, err := strconv.ParseUint(to, 10, 16)
	return err == nil && b >= a && b <= limit[1]
}
