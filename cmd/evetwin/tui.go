package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func tuiCommand() *cobra.Command {
	return &cobra.Command{Use: "tui", Args: usage(cobra.NoArgs), Short: "Look at a running device",
		RunE: func(*cobra.Command, []string) error { return fmt.Errorf("no device runs here") }}
}
