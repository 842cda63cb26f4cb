package lab

// Package is a Debian package that a part of evetwin stands on.
type Package struct {
	// Name is the package's name in Debian 12 and later.
	Name string
	// For says what evetwin does with it.
	For string
}

// Packages returns the one list of Debian packages that Setup installs.
func Packages() []Package {
	return []Package{
		{"qemu-system-x86", "application guests and the device as a virtual machine"},
		{"qemu-utils", "volumes in qcow2, vmdk and vhdx"},
		{"ovmf", "UEFI firmware of guests that want it"},
		{"squashfs-tools", "root disks of large container images"},
		{"e2fsprogs", "ext4 on blank data disks"},
		{"fdisk", "sfdisk: disks with the partitions of a device, in tests"},
		{"swtpm", "the software TPM that holds the device key"},
		{"swtpm-tools", "endorsement certificates of the software TPM"},
		{"libvirt-daemon", "domains through libvirt, as on a device"},
		{"libvirt-daemon-driver-qemu", "libvirt's QEMU driver"},
		{"libvirt-clients", "virsh, to look at domains"},
		{"nftables", "firewall rules of a device on this machine"},
		{"iproute2", "network namespaces by hand"},
		{"dnsmasq-base", "DHCP and DNS for guests of a device on this machine"},
	}
}
