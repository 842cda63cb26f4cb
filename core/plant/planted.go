//go:build planted

package plant

// Can reports whether bugs can be planted in this build.
const Can = true

// ground is where a bug is planted. It is set before any device runs.
type ground struct{ bug string }

var soil = &ground{}

func (g *ground) plant(bug string) { g.bug = bug }

// On reports whether a bug is planted.
func On(name string) bool { return soil.bug == name }

// Set plants a bug, or none where name is empty, in all devices that this process will run. It must
// be called before the first of them.
func Set(name string) error {
	if name == "" {
		soil.plant("")
		return nil
	}
	if _, err := Find(name); err != nil {
		return err
	}
	soil.plant(name)
	return nil
}
