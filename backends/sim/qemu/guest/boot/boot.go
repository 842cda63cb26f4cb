// Package boot is what the host and the first program in a guest agree on: where things lie in
// the initramfs, and what the host tells the guest about its payload. It is compiled into both
// and stands on the standard library alone.
package boot

// Places in the initramfs.
const (
	// InitPath is the first program.
	InitPath = "init"
	// ConfigPath holds a Config as JSON.
	ConfigPath = "evetwin/boot.json"
	// ModuleDir holds the kernel modules.
	ModuleDir = "evetwin/modules"
	// RootDir holds the payload's root, or is where it is mounted.
	RootDir = "root"
)

// Words the guest writes on its console, each at the start of a line.
const (
	// Banner says that the payload is about to start: "APP-BANNER <uuid> boot=<n>".
	Banner = "APP-BANNER"
	// Exit says that the payload has ended: "APP-EXIT <uuid> code=<n>".
	Exit = "APP-EXIT"
)

// Config tells the guest what to run.
type Config struct {
	// UUID is the application's identity, for the banner.
	UUID string `json:"uuid"`
	// Boot counts the application's boots, for the banner.
	Boot int `json:"boot"`
	// Hostname is the guest's name; empty leaves the kernel's.
	Hostname string `json:"hostname"`
	// Modules are the files in ModuleDir in the order in which to insert them.
	Modules []string `json:"modules"`
	// RootSerial is the serial number of the squashfs disk that holds the root; empty means
	// that the root lies in the initramfs.
	RootSerial string `json:"root_serial"`
	// UpperSerial is the serial number of an ext4 disk that takes what the payload writes to
	// its root; empty means that it is lost with the guest.
	UpperSerial string `json:"upper_serial"`
	// Args is the command, entrypoint and arguments.
	Args []string `json:"args"`
	// Env is the environment, as K=V.
	Env []string `json:"env"`
	// Dir is the working directory; empty means the root.
	Dir string `json:"dir"`
	// UID, GID and Groups are who runs it.
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups"`
	// Mounts are disks to mount before the start.
	Mounts []Mount `json:"mounts"`
	// StayUp keeps the guest up when the payload has ended.
	StayUp bool `json:"stay_up"`
	// StopSeconds is how long a payload may take to end after SIGTERM; 0 means 10.
	StopSeconds int `json:"stop_seconds"`
}

// Mount is a disk with a filesystem on it.
type Mount struct {
	// Serial is the disk's serial number.
	Serial string `json:"serial"`
	// Dir is where it is mounted in the payload's root.
	Dir string `json:"dir"`
	// FSType is the filesystem: ext4, iso9660 or squashfs.
	FSType string `json:"fstype"`
	// ReadOnly mounts it so.
	ReadOnly bool `json:"read_only"`
}
