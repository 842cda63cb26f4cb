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
		"a purge restarts the application and never makes its volumes anew", "standard", "calm"},
	{HalfConfig, "zedagent",
		"the applications of a configuration are dropped when another section has an error",
		"standard", "calm"},
	{InfoLost, "zedagent-info",
		"an info message that the controller refused once is lost for good", "standard", "flaky"},
	{OfflineStall, "zedagent",
		"a configuration that could not be fetched is not asked for again until something else happens",
		"standard", "flaky"},
	{OldConfigRefused, "zedagent",
		"a saved configuration is refused when it is older than seven days", "standard", "brutal"},
	{WirelessBricks, "zedagent",
		"a port with a wireless configuration that is empty takes all ports away", "standard", "calm"},
	{RestartTearsDown, "zedmanager",
		"an agent that was restarted takes what it has not heard of yet for gone, and tears it down",
		"standard", "flaky"},
	{EarlyRelease, "zedmanager",
		"volumes and networks of an application are given back before its domain is halted",
		"standard", "calm"},
	{AddressReused, "zedrouter",
		"after a crash an address is given out that another application has", "standard", "flaky"},
	{RetryStorm, "downloader",
		"a download that failed is tried again at once, again and again", "standard", "flaky"},
	{CountersBack, "zedmanager",
		"a restart or purge counter that went back counts as a new command", "standard", "flaky"},
	{QueueReorders, "zedagent-info",
		"messages that had to wait are sent the newest first and then the old ones, which win",
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
