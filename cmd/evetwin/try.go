package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func tryCommand() *cobra.Command {
	return &cobra.Command{Use: "try", RunE: func(*cobra.Command, []string) error { return fmt.Errorf("later") }}
}
