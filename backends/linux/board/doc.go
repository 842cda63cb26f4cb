// Package board puts the parts of a real Linux together: the hardware of a device.
//
//	nic  bridge  web  clock ──▶ network namespace      store ──▶ folder with /persist and /config
//	hyper ──▶ libvirtd, QEMU    tpm ──▶ /dev/tpmrm0     boot, power ──▶ GPT, watchdog, reboot(2)
//
// On a device all options but the name have their defaults. In a lab the device is a network
// namespace, a folder, an image of a disk and a software TPM, and its reset is the end of the
// process: see Options.Exit.
//
// What hangs together is joined here. Downloads are one folder of web and store. The guests boot
// from volumes of the store: a container's root is made a disk or an initramfs before its first
// start and goes with its volume. Secrets have one keeper, whose key lies in /persist.
package board
