// Package boot is the part boot of a real device: the states of the operating system's partitions
// in the attributes of a GPT, and the record of why the device was reset in EVE's files.
//
// A partition's state is changed by writing the whole table, the backup first: whatever happens
// meanwhile, one of both copies is whole, and has the old states or the new ones. Files are
// replaced, never written in place; /persist/boot-reason comes last and makes a record one.
//
// The part reads the table when the device boots and with every op; it does not watch it. Who else
// changes it is the boot loader, while nothing else runs.
package boot
