// Package guest makes virtual machines of container images: a kernel, an initramfs with a first
// program of ours, and the image's layers as its root.
//
// The layers are merged as the OCI image format says: upper layers win, whiteouts delete, hard
// links stay hard links, names cannot leave the root, and equal layers give equal bytes. A small
// root travels in the initramfs, a large one becomes a squashfs disk with a layer in memory above
// it. The first program (guestinit) and the bundled demo application are built from sources this
// package carries, once, into the cache; that needs a Go toolchain.
package guest
