// Package volumemgr is the agent of content and volumes: it has content trees downloaded and
// verified blob by blob, makes volumes from them, and gives back the space of what nobody wants any
// more.
//
//	in   zedagent/ContentTreeConfig, zedagent/VolumeConfig, zedagent/DatastoreConfig
//	in   zedagent/ConfigItemValueMap, zedagent/ZedAgentStatus, nodeagent/NodeAgentStatus
//	in   zedmanager/VolumeRefConfig        which application uses which volume
//	in   downloader/DownloaderStatus, downloader/ResolveStatus, verifier/VerifyImageStatus
//	in   store/BlobSeen, store/VolumeSeen, store/SpaceSeen, hyper/HostSeen
//	out  volumemgr/ContentTreeStatus, volumemgr/BlobStatus, volumemgr/VolumeStatus
//	out  volumemgr/VolumeRefStatus, volumemgr/VolumeMgrStatus
//	out  volumemgr/DownloaderConfig, volumemgr/ResolveConfig, volumemgr/VerifyImageConfig
//	out  volumemgr/AppAndImageToHash, volumemgr/VolumeCreatePending (persistent)
//	own  volumemgr/DeferredContentDeleteStatus (persistent), volumemgr/Manifest,
//	     volumemgr/OrphanSweep, volumemgr/Unfolded, volumemgr/Wanting, volumemgr/Waiting,
//	     volumemgr/Stray, volumemgr/Ledger
//	op   store.ReadBlob, store.RemoveBlob, store.CreateVolume, store.RemoveVolume
//
// A turn is a pass from content to volumes: trees, their blobs, the trees' states, volumes, the
// applications' references, what is left over. It looks only at what something has changed for,
// and at what that touches, until nothing follows any more. What lies on the disk is never
// remembered: a blob that the content store shows is loaded, a volume that it shows is created,
// whoever made it.
//
//	tree    INITIAL ─▶ RESOLVING_TAG ─▶ RESOLVED_TAG ─▶ DOWNLOADING … LOADED   the least of its blobs
//	blob    INITIAL ─space─▶ DOWNLOADING ─▶ DOWNLOADED ─▶ VERIFYING ─▶ VERIFIED ─seen─▶ LOADED
//	           ▲                                             │ wrong hash
//	           └────── everything released, at most 5 times ─┘
//	volume  INITIAL ─(as its tree)─▶ LOADED ─wanted, space─▶ CREATING_VOLUME ─seen─▶ CREATED_VOLUME
//	           RefCount 0 ─▶ deleting ─▶ gone
//
// Nothing is deleted because it is missing in a table that is not complete.
package volumemgr
