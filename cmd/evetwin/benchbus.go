package main

import (
	"github.com/spf13/cobra"
)

func benchBusCommand() *cobra.Command {
	return &cobra.Command{Use: "bus", Args: usage(cobra.NoArgs), Hidden: true,
		RunE: func(*cobra.Command, []string) error { return failed{} }}
}

func benchControllerCommand() *cobra.Command {
	return &cobra.Command{Use: "controller", Args: usage(cobra.NoArgs), Hidden: true,
		RunE: func(*cobra.Command, []string) error { return failed{} }}
}
