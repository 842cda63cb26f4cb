package network

import (
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// IoType of a physical adapter, with EVE's numbers.
type IoType uint8

// Types of adapters.
const (
	IoNop           IoType = 0
	IoNetEth        IoType = 1
	IoUSB           IoType = 2
	IoCom           IoType = 3
	IoAudio         IoType = 4
	IoNetWLAN       IoType = 5
	IoNetWWAN       IoType = 6
	IoHDMI          IoType = 7
	IoNVMEStorage   IoType = 9
	IoSATAStorage   IoType = 10
	IoNetEthPF      IoType = 11
	IoNetEthVF      IoType = 12
	IoUSBController IoType = 13
	IoUSBDevice     IoType = 14
	IoCAN           IoType = 15
	IoVCAN          IoType = 16
	IoLCAN          IoType = 17
	IoOther         IoType = 255
)

// IsNet reports whether the type is a network port (virtual functions are not, on purpose).
func (t IoType) IsNet() bool {
	return t == IoNetEth || t == IoNetWLAN || t == IoNetWWAN || t == IoNetEthPF
}

// PhysicalAddress is where an adapter sits; empty fields are not stated.
type PhysicalAddress struct {
	Ifname       string
	PciLong      string
	Serial       string
	Irq          string
	Ioports      string
	UsbAddr      string
	UsbProduct   string
	UnknownTypes []string // address keys that mean nothing to us, sorted
}

// PhysicalIOAdapter is one receptacle of the device model.
type PhysicalIOAdapter struct {
	Ptype           IoType
	Phylabel        string
	Phyaddr         PhysicalAddress
	Logicallabel    string
	Assigngrp       string
	Parentassigngrp string
	Usage           uint8 // PhyIoMemberUsage, EVE's numbers
	FreeUplink      bool
	Cbattr          []string // "key=value", sorted
}

// PhysicalIOAdapterList is the device model as configured. Owner: zedagent.
type PhysicalIOAdapterList struct {
	Initialized bool
	AdapterList []PhysicalIOAdapter
}

// Key is "zedagent".
func (PhysicalIOAdapterList) Key() string { return "zedagent" }

// PhysicalIO is zedagent's topic.
var PhysicalIO = bus.NewTopic[PhysicalIOAdapterList](bus.Decl{
	Owner: "zedagent", Name: "PhysicalIOAdapterList"})

// IoBundle is an adapter with its use.
type IoBundle struct {
	Type                  IoType
	Phylabel              string
	Logicallabel          string
	AssignmentGroup       string
	ParentAssignmentGroup string
	Usage                 uint8
	Cost                  uint8
	Ifname                string
	PciLong               string
	UsbAddr               string
	UsbProduct            string
	Serial                string
	Irq                   string
	Ioports               string
	Cbattr                []string
	UsedByUUID            string // application that has it, empty when free
	IsPCIBack             bool   // bound away from the host
	IsPort                bool   // a port in use by the host
	KeepInHost            bool
	MacAddr               string
	entity.ErrorDescription
}

// AssignableAdapters is the state of all adapters. Owner: domainmgr.
type AssignableAdapters struct {
	Initialized  bool
	IoBundleList []IoBundle // by phylabel
}

// Key is "global".
func (AssignableAdapters) Key() string { return entity.Global }

// Assignable is domainmgr's topic.
var Assignable = bus.NewTopic[AssignableAdapters](bus.Decl{
	Owner: "domainmgr", Name: "AssignableAdapters", MaxBytes: 256 << 10})
