// Package quota keeps folders from growing: by the quotas of projects that ext4 and xfs have.
//
// A project is a number of 32 bits; 0 is none. A folder has one from Begin on, and so has what is
// made in it. What a file system, its mount and the kernel can do is found out by doing it: an
// error of Begin or Limit says that they cannot.
package quota

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests to a file system, FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR.
const (
	getAttributes = 0x801c581f
	setAttributes = 0x401c5820
)

// attributes is struct fsxattr.
type attributes struct {
	Flags, ExtentSize, Extents, Project, CowExtentSize uint32

	_ [8]byte
}

// inherit is FS_XFLAG_PROJINHERIT.
const inherit = 0x200

// Commands of quotactl for projects, and in what it counts.
const (
	projects = 2
	get      = 0x800007<<8 | projects
	set      = 0x800008<<8 | projects
	block    = 1024
	limits   = 1 // QIF_BLIMITS
)

// quota is struct if_dqblk.
type quota struct {
	Hard, Soft, Used, InodesHard, InodesSoft, Inodes, Time, InodesTime uint64
	Valid                                                              uint32

	_ [4]byte
}

// Begin gives an empty folder a project.
func Begin(dir string, project uint32) error {
	return with(dir, "give the folder a project", func(fd uintptr) error {
		var a attributes
		if err := attribute(fd, getAttributes, &a); err != nil {
			return err
		}
		a.Project, a.Flags = project, a.Flags|inherit
		return attribute(fd, setAttributes, &a)
	})
}

// Limit bounds how many bytes the files of a folder's project take; 0 lets them take any.
func Limit(dir string, bytes int64) error {
	return with(dir, "limit the folder", func(fd uintptr) error {
		var a attributes
		if err := attribute(fd, getAttributes, &a); err != nil || a.Project == 0 {
			return err
		}
		q := quota{Hard: uint64((bytes + block - 1) / block), Valid: limits}
		return command(fd, set, a.Project, &q)
	})
}

// Of is a folder's project and the limit of that, in bytes; 0 if it has none.
func Of(dir string) (project uint32, limit int64) {
	_ = with(dir, "", func(fd uintptr) error {
		var a attributes
		var q quota
		if attribute(fd, getAttributes, &a) == nil && a.Flags&inherit != 0 && a.Project != 0 {
			project = a.Project
			if command(fd, get, project, &q) == nil {
				limit = int64(q.Hard) * block
			}
		}
		return nil
	})
	return project, limit
}

// with opens a folder and does something with it.
func with(dir, what string, f func(fd uintptr) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if err := f(d.Fd()); err != nil {
		return fmt.Errorf("%s %s: %w", what, dir, err)
	}
	return nil
}

func attribute(fd, request uintptr, a *attributes) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(a)))
	if errno != 0 {
		return errno
	}
	return nil
}

func command(fd uintptr, what uintptr, project uint32, q *quota) error {
	_, _, errno := unix.Syscall6(unix.SYS_QUOTACTL_FD, fd, what, uintptr(project),
		uintptr(unsafe.Pointer(q)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
