package world

import (
	"maps"
	"slices"
)

// proxies checks explicit and transparent proxies.
func (c *checker) proxies() {
	for i := range c.m.Endpoints.ExplicitProxies {
		p, at := &c.m.Endpoints.ExplicitProxies[i], index("endpoints."+kindExplicit, i)
		c.proxying(at, p.Label, &p.Proxying)
		switch {
		case p.HTTPProxy.Port == 0 && p.HTTPSProxy.Port == 0:
			c.add(at+".httpProxy.port", p.Label, "a port for http or https is required")
		case p.HTTPProxy.Port == p.HTTPSProxy.Port:
			c.add(at+".httpsProxy.port", p.Label, "%d is the port of httpProxy already",
				p.HTTPSProxy.Port)
		}
		tls := p.HTTPProxy.ListenProto == "https" || p.HTTPSProxy.ListenProto == "https"
		if tls && p.CACertPEM == "" {
			c.add(at+".caCertPEM", p.Label, "is required to listen on https")
		}
		for j, u := range p.Users {
			if u.Username == "" {
				c.add(index(at+".users", j)+".username", p.Label, "is missing")
			}
			same := func(o User) bool { return o.Username == u.Username }
			if slices.ContainsFunc(p.Users[:j], same) {
				c.add(index(at+".users", j)+".username", p.Label, "%s is there twice",
					quoted(u.Username))
			}
		}
	}
	for i := range c.m.Endpoints.TransparentProxies {
		p, at := &c.m.Endpoints.TransparentProxies[i], index("endpoints."+kindTransparent, i)
		c.proxying(at, p.Label, &p.Proxying)
	}
}

func (c *checker) proxying(at, label string, p *Proxying) {
	c.resolvers(at, label, p.Resolvers)
	c.pair(at+".caCertPEM", at+".caKeyPEM", label, p.CACertPEM, p.CAKeyPEM, true)
	for j, r := range p.Rules {
		rat := index(at+".proxyRules", j)
		if slices.ContainsFunc(p.Rules[:j], func(o ProxyRule) bool {
			return o.ReqHost == r.ReqHost
		}) {
			c.add(rat+".reqHost", label, "a second rule for %s", quoted(r.ReqHost))
		}
		if r.Action == "mitm" && p.CACertPEM == "" {
			c.add(rat+".action", label, "mitm needs caCertPEM and caKeyPEM")
		}
	}
}

// netboot checks the artifacts of netboot servers.
func (c *checker) netboot() {
	for i := range c.m.Endpoints.NetbootServers {
		s, at := &c.m.Endpoints.NetbootServers[i], index("endpoints."+kindNetboot, i)
		c.artifacts(at+".tftpArtifacts", s.Label, s.TFTP)
		c.artifacts(at+".httpArtifacts", s.Label, s.HTTP)
	}
}

func (c *checker) artifacts(at, label string, as []Artifact) {
	entries := 0
	for i, a := range as {
		if a.Filename == "" {
			c.add(index(at, i)+".filename", label, "is missing")
		}
		c.httpURL(index(at, i)+".downloadFromURL", label, a.URL)
		if a.Entrypoint {
			entries++
		}
	}
	if len(as) > 0 && entries != 1 {
		c.add(at, label, "exactly one artifact is the entrypoint, here are %d", entries)
	}
}

// pair checks a certificate with its key; none at all is fine.
func (c *checker) pair(certAt, keyAt, label, cert, key string, ca bool) {
	switch {
	case cert == "" && key == "":
		return
	case cert == "":
		c.add(certAt, label, "is missing beside the key")
		return
	case key == "":
		c.add(keyAt, label, "is missing beside the certificate")
		return
	}
	a, bad, err := readPair(cert, key)
	if err != nil {
		at := certAt
		if bad == "key" {
			at = keyAt
		}
		c.add(at, label, "%v", err)
	} else if ca && !a.leaf().IsCA {
		c.add(certAt, label, "not the certificate of an authority (CA)")
	}
}

// sortedKeys lists the keys of a table in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
