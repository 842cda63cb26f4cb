// Package disk is the simulated disk of a device: what its parts store and what is left of it
// after a power cut. It is a plain model without time; the parts around it say how long all takes.
package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"

	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// Content is what a file holds. Large downloads stay unmade: Data is nil then and Size counts.
// Digest is what the model says a hash would give, where it says so.
type Content struct {
	Data   []byte
	Size   int64
	Digest string
	// Modelled says that it came from a server of the model, which may have made it up.
	Modelled bool
	// Rotten says that it is not what it was when it was verified.
	Rotten bool
}

// Bytes is content whose bytes are all there.
func Bytes(b []byte) Content { return Content{Data: b, Size: int64(len(b))} }

// Sha256 is the hash of the content in lower-case hex: stated by the model, or computed.
func (c *Content) Sha256() string {
	if c.Digest != "" {
		return c.Digest
	}
	h := sha256.Sum256(c.Data)
	return hex.EncodeToString(h[:])
}

// File is a small file.
type File struct {
	Data []byte
	Sha  string
}

// Partial is a download that is not verified yet.
type Partial struct {
	Content        // Size is what is there
	Whole   int64  // size of the whole, 0 while unknown
	Durable int64  // bytes that survive a power cut
	Tag     string // what the server calls this state of the content (ETag or Last-Modified)
	Done    bool
}

// Volume is a volume of an application.
type Volume struct {
	Format    string
	Size      int64
	Used      int64
	Encrypted bool
	// Limit is what it cannot take more than; 0: it can.
	Limit int64
	// Zvol says that it is a dataset of ZFS, and no file.
	Zvol  bool
	Blobs []string
	// Marks are what guests wrote to it, for tests of what survives.
	Marks []string
	// Rotten says that it was made of content that had rotted, and that nobody noticed.
	Rotten bool
}

// Disk is all that outlives the power.
type Disk struct {
	// Total is the size of /persist, Reserved what the system keeps for itself.
	Total, Reserved int64
	// Other is what is taken by what is no part of the model.
	Other    int64
	Files    map[string]File
	Blobs    map[string]Content
	Partials map[string]*Partial
	Volumes  map[string]*Volume
	// Parts and the record of the last reset belong to the part boot.
	Boot BootRecord
	// Secrets outlive the configuration they came with; no agent can read them.
	Secrets []secret.Lasting
	// Tpm belongs to the part tpm.
	Tpm TpmRecord
}

// BootRecord is what the boot part keeps.
type BootRecord struct {
	Boots        uint32
	Reason, Text string
	Stack        string
	Unix         int64
	Cycled       bool
	// Image is what ran when the reason was recorded.
	Image string `json:",omitempty"`
	// Watchdog says that the hardware watchdog reset the device.
	Watchdog bool `json:",omitempty"`
	// Current is the number of the partition that runs.
	Current    int `json:",omitempty"`
	Partitions []Partition
}

// Partition is one of the two partitions of the operating system.
type Partition struct{ Label, State, Version string }

// TpmRecord is what the TPM keeps.
type TpmRecord struct {
	HasDevice bool
	CertPEM   string
	// Owners counts how often the TPM was cleared: each owner has other keys.
	Owners uint64            `json:",omitempty"`
	NV     map[uint32][]byte `json:",omitempty"`
	Sealed *Sealed           `json:",omitempty"`
	// Sealings counts the secrets that were sealed.
	Sealings uint64 `json:",omitempty"`
}

// Sealed is a secret that a TPM keeps.
type Sealed struct{ Policy, Secret []byte }

// New makes an empty disk of a size in bytes.
func New(total, reserved int64) *Disk {
	return &Disk{Total: total, Reserved: reserved, Files: map[string]File{},
		Blobs: map[string]Content{}, Partials: map[string]*Partial{}, Volumes: map[string]*Volume{},
		Boot: BootRecord{Partitions: []Partition{
			{Label: "IMGA", State: "active", Version: "evetwin-1"}, {Label: "IMGB", State: "unused"}}}}
}

// Put writes a small file.
func (d *Disk) Put(path string, data []byte) {
	h := sha256.Sum256(data)
	d.Files[path] = File{data, hex.EncodeToString(h[:])}
}

// Used is how many bytes of /persist are taken.
func (d *Disk) Used() int64 {
	n := d.Other
	for p, f := range d.Files { //order: a sum
		if strings.HasPrefix(p, "/persist/") {
			n += int64(len(f.Data))
		}
	}
	for _, b := range d.Blobs { //order: a sum
		n += b.Size
	}
	for _, p := range d.Partials { //order: a sum
		n += p.Size
	}
	for _, v := range d.Volumes { //order: a sum
		n += v.Used
	}
	return n
}

// Free is how many bytes can still be written.
func (d *Disk) Free() int64 { return max(0, d.Total-d.Used()) }

// Rot flips a bit of a blob. Bytes that are unmade have no bits: they are only known to be rotten.
// It returns what heals it.
func (d *Disk) Rot(sha string) (heal func()) {
	good, ok := d.Blobs[sha]
	if !ok {
		return func() {}
	}
	bad := good
	bad.Rotten = true
	if n := len(good.Data); n > 0 {
		bad.Data = bytes.Clone(good.Data)
		bad.Data[n/2] ^= 8
	}
	d.Blobs[sha] = bad
	return func() {
		if now, ok := d.Blobs[sha]; ok && now.Rotten {
			d.Blobs[sha] = good
		}
	}
}

// Cut is a power cut: unsynced bytes of downloads survive in part.
func (d *Disk) Cut(draw func(key string) uint64) {
	for _, t := range Keys(d.Partials) {
		p := d.Partials[t]
		if loose := p.Size - p.Durable; loose > 0 && !p.Done {
			p.truncate(p.Durable + int64(draw("partial/"+t)%uint64(loose+1)))
		}
	}
	d.Boot.Cycled = true
}

// Append adds to a download; made bytes stay made as long as all of them are. What comes in one
// piece is shared with who sent it, so that it lies in memory once: clone it to change it.
func (p *Partial) Append(data []byte, size int64) {
	if data != nil && p.Size == 0 && size == p.Whole {
		p.Data = data[:len(data):len(data)]
	} else if data != nil && (p.Size == 0 || int64(len(p.Data)) == p.Size) {
		p.Data = append(p.Data, data...)
	} else {
		p.Data = nil
	}
	p.Size += size
}

func (p *Partial) truncate(n int64) {
	p.Size = n
	p.Durable = min(p.Durable, n)
	if int64(len(p.Data)) > n {
		p.Data = p.Data[:n:n]
	}
}

// Reset empties a download.
func (p *Partial) Reset() { *p = Partial{} }

// Keys are the keys of a map in order.
func Keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m { //order: sorted below
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
