package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
)

// Each outcome has its exit code and its line.
func TestExecute(t *testing.T) {
	cause := errors.New("the disk is gone")
	for _, c := range []struct {
		args []string
		is   error
		code int
		says string
	}{
		{nil, nil, 0, ""},
		{nil, cause, cli.Failed, "tool: the disk is gone\n"},
		{nil, fmt.Errorf("read it: %w", cli.Refuse(cause)), cli.Refused, "tool: the disk is gone\n"},
		{nil, fmt.Errorf("run: %w", cli.ErrReported), cli.Failed, ""},
		{[]string{"more"}, nil, cli.Refused,
			"tool: unknown command \"more\" for \"tool\"; see \"tool --help\"\n"},
		{[]string{"--odd"}, nil, cli.Refused,
			"tool: unknown flag: --odd; see \"tool --help\"\n"},
	} {
		root := &cobra.Command{Use: "tool", Args: cli.Usage(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return c.is }}
		var out, errs bytes.Buffer
		root.SetArgs(append([]string{}, c.args...))
		root.SetOut(&out)
		root.SetErr(&errs)
		code := cli.Execute(t.Context(), root)
		if code != c.code || errs.String() != c.says || out.Len() > 0 {
			t.Errorf("%v, %q: exit %d, %q, %q", c.is, c.args, code, out.String(), errs.String())
		}
	}
}

// Whoever asks for the reason of a refusal finds it.
func TestRefusalsKeepTheirReason(t *testing.T) {
	cause := errors.New("cause")
	if err := cli.Refuse(fmt.Errorf("read: %w", cause)); !errors.Is(err, cause) ||
		err.Error() != "read: cause" {
		t.Error(err)
	}
}
