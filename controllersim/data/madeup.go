package data

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
)

const (
	// madeUpFiller is how much content without meaning a made-up image has, so that its download
	// takes a while and can be cut.
	madeUpFiller = 64 << 10
	// madeUpDisk is the size of a made-up raw disk.
	madeUpDisk = 64 << 10
)

// makeUpImage makes an OCI image from its name: an index with one image for amd64 and one for
// arm64. There is nothing in it that could run; the model's guests need nothing.
func makeUpImage(ref string) Image {
	archs := []string{"amd64", "arm64"}
	spec := ImageSpec{
		Files: []File{
			{Path: "etc/evetwin/made-up", Body: []byte(ref + "\n")},
			{Path: "var/lib/evetwin/filler", Body: filler(ref, madeUpFiller)},
		},
		Entrypoint: []string{"/made-up"},
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Labels:     map[string]string{"io.evetwin.made-up": ref},
	}
	layer, err := spec.packed(gzip.NoCompression) // the filler is not to be compressed
	if err != nil {
		panic(fmt.Sprintf("data: make up image %s: %v", ref, err))
	}
	var images []Image
	for _, arch := range archs {
		spec.Arch = arch
		img, err := spec.on(layer)
		if err != nil {
			panic(fmt.Sprintf("data: make up image %s: %v", ref, err))
		}
		images = append(images, img)
	}
	index, err := Index(archs, images)
	if err != nil {
		panic(fmt.Sprintf("data: make up image %s: %v", ref, err))
	}
	return index
}

// makeUpDisk makes a disk image from a file name: QCOW2 if it ends so, else raw.
func makeUpDisk(name string) []byte {
	switch strings.ToLower(path.Ext(name)) {
	case ".qcow2", ".qcow":
		return emptyQCOW2(name)
	}
	disk := filler(name, madeUpDisk)
	// The first sector looks like a boot sector without partitions, and tells what this is.
	clear(disk[:512])
	copy(disk[:440], "evetwin made this disk up: "+name)
	disk[510], disk[511] = 0x55, 0xaa
	return disk
}

// filler is n bytes that depend on a name and do not compress.
func filler(name string, n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8(sha256.Sum256([]byte("evetwin filler " + name))).Read(out) // never fails
	return out
}

// emptyQCOW2 is a valid QCOW2 image, version 2, of 1 MiB of zeros. Its four clusters of 512
// bytes are the header, the table of reference counts, the counts and the first-level table.
// The name stands in a header extension of a type that readers skip.
func emptyQCOW2(name string) []byte {
	const (
		cluster = 512
		size    = 1 << 20
		nameExt = 0x65766574
	)
	b := make([]byte, 4*cluster)
	be := binary.BigEndian
	copy(b, "QFI\xfb")
	be.PutUint32(b[4:], 2)           // version
	be.PutUint32(b[20:], 9)          // cluster bits
	be.PutUint64(b[24:], size)       // virtual size
	be.PutUint32(b[36:], size/32768) // entries of the first-level table: 64 clusters each
	be.PutUint64(b[40:], 3*cluster)  // its offset
	be.PutUint64(b[48:], 1*cluster)  // offset of the reference count table
	be.PutUint32(b[56:], 1)          // clusters of it
	be.PutUint64(b[cluster:], 2*cluster)
	for i := range 4 {
		be.PutUint16(b[2*cluster+2*i:], 1)
	}
	if len(name) > cluster-72-16 {
		sum := sha256.Sum256([]byte(name))
		name = fmt.Sprintf("%x", sum)
	}
	be.PutUint32(b[72:], nameExt)
	be.PutUint32(b[76:], uint32(len(name)))
	copy(b[80:], name)
	return b
}
