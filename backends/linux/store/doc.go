// Package store is the part store on a real disk: small files of /config and /persist, blobs named
// by their SHA-256, volumes as files and folders, and the space they take.
//
//	/config/...                              small files, only read
//	/persist/{checkpoint,ingested,status}/   small files
//	/persist/secrets/lasting.json            secrets that outlive their configuration; no agent's
//	/persist/clear/volumes/<key>.<format>    volumes in the clear
//	/persist/vault/volumes/<key>.<format>    volumes in the vault
//	/dev/zvol/<pool>/{clear,vault}/volumes/<uuid>.<generation>    disks, where /persist lies on ZFS
//	/persist/vault/blobs/<sha256>            blobs
//	/persist/vault/downloads/<target>        downloads; see package partial
//
// A container that is asked for with a size can take no more where the file system has quotas of
// projects (ext4 or xfs, mounted so); elsewhere what it takes is only counted.
//
// All of it lies below Options.Root. Whatever is written gets there by the steps of package
// durable, so that a power cut at any of them leaves the old or the new; what is unfinished has a
// name of its own, and goes at the next boot. A container is a folder with "rootfs" and
// "image-config.json".
//
// One goroutine at a time changes names or looks at them and says what it saw (session.mu): so rows
// come in the order in which the disk changed, and before the outcomes of the calls that changed
// it. What others do to the disk is heard by inotify and looked at likewise. Long work, hashing and
// making volumes, is done beside that, on files that have no name yet.
//
// A composition makes the folder of downloads and hands it to this part and to the part web:
//
//	downloads := partial.New(store.DownloadDir(root), durable.Disk{})
//	part := store.New(store.Options{Root: root, Downloads: downloads, VaultKey: key})
//
// While the vault is locked, blobs and volumes are not known: their tables are not complete, and
// calls on them fail. Unlock goes on from there, UnlockBy with a secret of which the caller has the
// reference.
package store
