//go:build !planted

package plant

import "errors"

// Can reports whether bugs can be planted in this build.
const Can = false

// On reports whether a bug is planted; never in this build.
func On(string) bool { return false }

// Set refuses: bugs are planted in builds with the tag "planted" only.
func Set(string) error {
	return errors.New("this build has no bugs to plant; build it with -tags planted")
}
