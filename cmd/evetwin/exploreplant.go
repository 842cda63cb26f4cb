package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/plant"
)

// explorePlanted plants a mistake in the agents and explores where it shows, unless scenarios are
// named.
func explorePlanted(c *cobra.Command, names []string, f exploreFlags) error {
	if f.plant == "list" {
		for _, b := range plant.List() {
			if f.json {
				line(c.OutOrStdout(), struct {
					Plant    string `json:"plant"`
					Agent    string `json:"agent"`
					Says     string `json:"says"`
					Scenario string `json:"scenario"`
					Faults   string `json:"faults"`
				}{b.Name, b.Agent, b.Says, b.Scenario, b.Profile})
				continue
			}
			fmt.Fprintf(c.OutOrStdout(), "%-20s %-18s %s\n%39s (%s, %s)\n", b.Name, b.Agent, b.Says, "",
				b.Scenario, b.Profile)
		}
		return nil
	}
	b, err := plant.Find(f.plant)
	if err == nil {
		err = plant.Set(b.Name)
	}
	if err != nil {
		return cli.Refuse(fmt.Errorf("--plant %s: %w", f.plant, err))
	}
	if len(names) == 0 {
		names = []string{b.Scenario}
		if !c.Flags().Changed("faults") {
			f.faults = b.Profile
		}
	}
	return exploreAll(c, names, f)
}
