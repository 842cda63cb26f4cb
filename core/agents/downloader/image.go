package downloader

import (
	"net/netip"
	"strings"

	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/content"
)

// dockerHub is where images of docker.io really are.
const dockerHub = "registry-1.docker.io"

// manifestTypes is what a manifest may be: an index or an image, of OCI or of Docker.
const manifestTypes = "application/vnd.oci.image.index.v1+json," +
	"application/vnd.oci.image.manifest.v1+json," +
	"application/vnd.docker.distribution.manifest.list.v2+json," +
	"application/vnd.docker.distribution.manifest.v2+json"

// image is a repository of a registry.
type image struct {
	Base string // scheme and host
	Repo string
	Tag  string // tag of a name that has one, else "latest"
	Hash string // digest of a name that has one, lower-case hex
}

// imageOf reads a datastore and a name such as "library/nginx:1.25" or "nginx@sha256:ab...".
func imageOf(ds *content.DatastoreConfig, name string) image {
	scheme, rest := "", ds.Fqdn
	if s, r, ok := strings.Cut(ds.Fqdn, "://"); ok {
		scheme, rest = strings.ToLower(s), r
	}
	host, path, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	im := image{Tag: "latest"}
	name = strings.Trim(name, "/")
	if n, digest, ok := strings.Cut(name, "@"); ok {
		name = n
		im.Hash = strings.ToLower(strings.TrimPrefix(digest, "sha256:"))
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, im.Tag = name[:i], name[i+1:]
	}
	for _, part := range []string{path, strings.Trim(ds.Dpath, "/"), name} {
		if part != "" {
			im.Repo = strings.TrimPrefix(im.Repo+"/"+part, "/")
		}
	}
	switch host {
	case "docker.io", "index.docker.io", "www.docker.io", dockerHub:
		host = dockerHub
		if !strings.Contains(im.Repo, "/") {
			im.Repo = "library/" + im.Repo
		}
	}
	im.Base = "https://" + host
	if scheme == "http" || scheme != "https" && isLocal(host) {
		im.Base = "http://" + host
	}
	return im
}

// isLocal reports whether a registry is spoken to without TLS, as container tools do: loopback,
// private addresses and names of the local network.
func isLocal(hostPort string) bool {
	host := hostPort
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	host = strings.Trim(host, "[]")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback() || a.IsPrivate()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		strings.HasSuffix(host, ".local")
}

// manifest is the URL of the manifest with a hash, or of the tag when the hash is empty.
func (im image) manifest(sha string) string {
	ref := im.Tag
	if sha != "" {
		ref = "sha256:" + sha
	}
	return im.Base + "/v2/" + im.Repo + "/manifests/" + ref
}

// blob is the URL of the blob with a hash.
func (im image) blob(sha string) string {
	return im.Base + "/v2/" + im.Repo + "/blobs/sha256:" + sha
}

// isManifestType reports whether a media type is of a manifest, or not known.
func isManifestType(mediaType string) bool {
	return mediaType == "" || strings.Contains(","+manifestTypes+",", ","+mediaType+",")
}

func accept() web.Header { return web.Header{Name: "Accept", Value: manifestTypes} }
