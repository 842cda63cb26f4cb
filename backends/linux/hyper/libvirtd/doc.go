// Package libvirtd runs libvirt's daemon as a child of ours, with folders of its own.
//
// The daemon's folders are compiled in. It therefore gets a mount namespace of its own, in which
// they are folders of ours; mounts of the machine still reach it. The empty folders that they are
// mounted on (/etc/libvirt, /var/lib/libvirt and so on) are made where a machine lacks them. It
// also finds there the user that its package was built for, whether or not the machine has one: it
// does not start without, though its guests run as root here.
//
// Neither systemd nor dbus nor virtlogd is needed. When the daemon ends, however it ends, its
// guests run on, and the next one on the same folders finds them. Only a guest whose start it did
// not finish is ended before the next one looks, if we are told which that is.
package libvirtd
