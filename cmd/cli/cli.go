// Package cli is what the command lines of this module have in common: their exit codes, how a
// usage error reads, and the revision they tell.
package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Exit codes of the contract.
const (
	// Failed says that something is not well.
	Failed = 1
	// Refused says that usage or input is refused.
	Refused = 2
)

// ErrReported is an outcome that was reported already: exit 1 without another word.
var ErrReported = errors.New("not all is well")

// refused is usage or input that is refused.
type refused struct{ error }

// Unwrap is the reason.
func (r refused) Unwrap() error { return r.error }

// Refuse makes an error one of usage or input: exit 2. Its text stays.
func Refuse(err error) error { return refused{err} }

// Usage makes the wrong arguments of a command exit 2.
func Usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		return misused(c, check(c, args))
	}
}

// misused is a usage error that says where the usage is told, nil for none.
func misused(c *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return Refuse(fmt.Errorf("%w; see %q", err, c.CommandPath()+" --help"))
}

// Execute runs a command line, tells on its standard error what is wrong, and returns the exit
// code. The root command has its arguments.
func Execute(ctx context.Context, root *cobra.Command) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(misused)
	err := root.ExecuteContext(ctx)
	code := Failed
	var no refused
	switch {
	case err == nil:
		return 0
	case errors.As(err, &no):
		err, code = no.error, Refused
	case errors.Is(err, ErrReported):
		return Failed
	}
	fmt.Fprintf(root.ErrOrStderr(), "%s: %v\n", root.Name(), err)
	return code
}

// Revision is what the program was built from, 12 letters, "unknown" where the build did not say.
func Revision() string {
	if i, ok := debug.ReadBuildInfo(); ok {
		for _, s := range i.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "unknown"
}
