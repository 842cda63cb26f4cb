package fleet

import (
	"slices"
	"strings"

	"github.com/lf-edge/eve-api/go/config"
)

// Store is a place that images are loaded from.
type Store struct {
	// Name is what images of the draft refer to.
	Name string
	// Type is the protocol.
	Type config.DsType
	// FQDN is the server, with its scheme: "http://host:port", "docker://host:port".
	FQDN string
	// Path is a folder on the server, put before the URL of each image.
	Path string
	// CertsPEM are certificates trusted for this server.
	CertsPEM [][]byte
}

// Datastore adds a datastore, or replaces the one of its name.
func (d *Draft) Datastore(s Store) *Draft {
	id := d.StoreID(s.Name)
	d.cfg.Datastores = slices.DeleteFunc(d.cfg.Datastores, func(o *config.DatastoreConfig) bool {
		return o.GetId() == id
	})
	d.cfg.Datastores = append(d.cfg.Datastores, &config.DatastoreConfig{
		Id: id, DType: s.Type, Fqdn: s.FQDN, Dpath: s.Path, DsCertPEM: s.CertsPEM,
	})
	return d
}

// HTTPStore adds a datastore at a URL, "http://host:port/path" or https.
func (d *Draft) HTTPStore(name, url string) *Draft {
	s := Store{Name: name, Type: config.DsType_DsHttp}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || (scheme != "http" && scheme != "https") {
		return d.fail("datastore %s: %q is no http or https URL", name, url)
	}
	if scheme == "https" {
		s.Type = config.DsType_DsHttps
	}
	host, path, _ := strings.Cut(rest, "/")
	s.FQDN, s.Path = scheme+"://"+host, path
	return d.Datastore(s)
}

// Registry adds an OCI registry at "host:port".
func (d *Draft) Registry(name, host string) *Draft {
	return d.Datastore(Store{
		Name: name, Type: config.DsType_DsContainerRegistry, FQDN: "docker://" + host,
	})
}

// Image is a content tree: something to be downloaded.
type Image struct {
	// Name is what volumes of the draft refer to.
	Name string
	// Store is the name of the datastore.
	Store string
	// URL is the file in an HTTP datastore or the reference in a registry ("library/web:1").
	URL string
	// Format is RAW, QCOW2 ...; unset it is CONTAINER in a registry, else by the URL's ending, else
	// RAW.
	Format config.Format
	// SHA256 is the expected digest in hex, "" to take what comes.
	SHA256 string
	// MaxSize bounds the download in bytes, 0 for no bound.
	MaxSize uint64
}

// Image adds a content tree, or replaces the one of its name.
func (d *Draft) Image(i Image) *Draft {
	store := d.store(i.Store)
	if store == nil {
		return d.fail("image %s: no datastore %q", i.Name, i.Store)
	}
	if i.Format == config.Format_FmtUnknown {
		switch {
		case store.GetDType() == config.DsType_DsContainerRegistry:
			i.Format = config.Format_CONTAINER
		case strings.HasSuffix(i.URL, ".qcow2"):
			i.Format = config.Format_QCOW2
		default:
			i.Format = config.Format_RAW
		}
	}
	tree := &config.ContentTree{
		Uuid: d.ImageID(i.Name), DsId: d.StoreID(i.Store), URL: i.URL, Iformat: i.Format,
		Sha256: i.SHA256, MaxSizeBytes: i.MaxSize, DisplayName: i.Name,
	}
	d.RemoveImage(i.Name)
	d.cfg.ContentInfo = append(d.cfg.ContentInfo, tree)
	return d
}

// RemoveImage takes a content tree out.
func (d *Draft) RemoveImage(name string) *Draft {
	id := d.ImageID(name)
	d.cfg.ContentInfo = slices.DeleteFunc(d.cfg.ContentInfo, func(c *config.ContentTree) bool {
		return c.GetUuid() == id
	})
	return d
}

// Volume is a disk or a container's file system.
type Volume struct {
	// Name is what applications of the draft refer to.
	Name string
	// Image is the name of the content tree it is made from, "" for a blank volume.
	Image string
	// Size is the largest size in bytes; a blank volume needs one.
	Size int64
	// ReadOnly and Encrypted are as they say.
	ReadOnly, Encrypted bool
	// Generation counts replacements of the volume by a fresh one.
	Generation int64
}

// Volume adds a volume, or replaces the one of its name.
func (d *Draft) Volume(v Volume) *Draft {
	origin := &config.VolumeContentOrigin{Type: config.VolumeContentOriginType_VCOT_BLANK}
	if v.Image != "" {
		if d.image(v.Image) == nil {
			return d.fail("volume %s: no image %q", v.Name, v.Image)
		}
		origin.Type = config.VolumeContentOriginType_VCOT_DOWNLOAD
		origin.DownloadContentTreeID = d.ImageID(v.Image)
	} else if v.Size <= 0 {
		return d.fail("volume %s: blank and without a size", v.Name)
	}
	vol := &config.Volume{
		Uuid: d.VolumeID(v.Name), Origin: origin, Maxsizebytes: v.Size, Readonly: v.ReadOnly,
		DisplayName: v.Name, ClearText: !v.Encrypted, GenerationCount: v.Generation,
		Target: config.Target_Disk,
	}
	d.RemoveVolume(v.Name)
	d.cfg.Volumes = append(d.cfg.Volumes, vol)
	return d
}

// RemoveVolume takes a volume out.
func (d *Draft) RemoveVolume(name string) *Draft {
	id := d.VolumeID(name)
	d.cfg.Volumes = slices.DeleteFunc(d.cfg.Volumes, func(v *config.Volume) bool {
		return v.GetUuid() == id
	})
	return d
}

func (d *Draft) store(name string) *config.DatastoreConfig {
	for _, s := range d.cfg.GetDatastores() {
		if s.GetId() == d.StoreID(name) {
			return s
		}
	}
	return nil
}

func (d *Draft) image(name string) *config.ContentTree {
	for _, c := range d.cfg.GetContentInfo() {
		if c.GetUuid() == d.ImageID(name) {
			return c
		}
	}
	return nil
}

func (d *Draft) volume(name string) *config.Volume {
	for _, v := range d.cfg.GetVolumes() {
		if v.GetUuid() == d.VolumeID(name) {
			return v
		}
	}
	return nil
}
