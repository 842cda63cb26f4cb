package plant

import (
	"fmt"
	"strings"
)

// Names of the bugs.
const (
	PurgeKeeps       = "purge-keeps"
	HalfConfig       = "half-config"
	InfoLost         = "info-lost"
	OfflineStall     = "offline-stall"
	OldConfigRefused = "old-config-refused"
	WirelessBricks   = "wireless-bricks"
	RestartTearsDown = "restart-tears-down"
	EarlyRelease     = "early-release"
	AddressReused    = "address-reused"
	RetryStorm       = "retry-storm"
	CountersBack     = "counters-back"
	QueueReorders    = "queue-reorders"
)

// Bug is a mistake that can be planted.
type Bug struct {
	Name string
	// Agent is where it is made.
	Agent string
	// Says is what goes wrong, in a sentence.
	Says string
	// Scenario and Profile are where explore is to look for it.
	Scenario, Profile string
}

// List is all bugs there are.
func List() []Bug { return bugs }

var bugs = []Bug{
	{PurgeKeeps, "zedmanager",
		"a purge restarts the application and never makes its volumes anew", "app-purge", "none"},
	{HalfConfig, "zedagent",
		"the applications of a configuration are dropped when another section has an error",
		"bad-objects", "none"},
	{InfoLost, "zedagent-info",
		"an info message that the controller refused once is lost for good", "standard", "flaky"},
	{OfflineStall, "zedagent",
		"a configuration that could not be fetched is not asked for again until something else happens",
		"standard", "flaky"},
	{OldConfigRefused, "zedagent",
		"a saved configuration is refused when it is older than seven days", "offline-weeks", "none"},
	{WirelessBricks, "zedagent",
		"the agent trips over a network with a wireless configuration that is empty, again and again",
		"empty-wireless", "none"},
	{RestartTearsDown, "volumemgr",
		"after a boot content that nobody has spoken of yet is taken for gone, and removed",
		"life-power-cuts", "none"},
	{EarlyRelease, "zedmanager",
		"a purge gives the old volumes back before the guest that uses them is halted",
		"standard", "calm"},
	{AddressReused, "zedrouter",
		"the address of an application that is not connected yet after a boot is given to another",
		"standard", "flaky"},
	{RetryStorm, "downloader",
		"a download that failed is tried again at once, again and again", "standard", "flaky"},
	{CountersBack, "zedagent-metrics",
		"an exchange that failed is taken off the count of those that went well", "standard", "flaky"},
	{QueueReorders, "zedagent-info",
		"of two states of one object the older one, sent later than it should, is the last word",
		"standard", "flaky"},
}

// Find is the bug of a name.
func Find(name string) (Bug, error) {
	var names []string
	for _, b := range bugs {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Bug{}, fmt.Errorf("there is no bug %q to plant, want one of %s", name,
		strings.Join(names, ", "))
}
