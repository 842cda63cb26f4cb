package guest

import "fmt"

// What the tests of this package look at from outside.
var BuildProgram = buildProgram

// Command is the command an image runs.
func (i Image) Command(env []string) ([]string, error) { return i.command(env) }

// Environment is the environment it runs in.
func (i Image) Environment(user []string) []string { return i.environment(user) }

// Who tells in one line who a user is.
func (t *Tree) Who(user string) string {
	got, err := t.resolve(user)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(got.uid, " ", got.gid, " ", got.groups, " ", got.home)
}
