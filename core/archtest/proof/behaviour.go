package proof

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Behaviour is one numbered behaviour.
type Behaviour struct {
	// Area is API, NET, APP, DEV or LAB.
	Area string
	// Number counts from 1 within the area.
	Number int
}

// String writes a behaviour as "API-14".
func (b Behaviour) String() string { return fmt.Sprintf("%s-%d", b.Area, b.Number) }

// areas are the areas in order, with the number of behaviours of each.
var areas = []struct {
	name  string
	count int
}{{"API", 56}, {"NET", 39}, {"APP", 54}, {"DEV", 51}, {"LAB", 13}}

// All lists the behaviours in order: 213 of them.
func All() []Behaviour {
	var all []Behaviour
	for _, a := range areas {
		for n := 1; n <= a.count; n++ {
			all = append(all, Behaviour{a.name, n})
		}
	}
	return all
}

// MaxPerName is how many behaviours one name may claim: a test of more proves none well.
const MaxPerName = 3

// claim matches one behaviour at the beginning of what is left of a name.
var claim = regexp.MustCompile(`^(API|NET|APP|DEV|LAB)([0-9]+)(_|$)`)

// Claims returns the behaviours that the name of a test or subtest claims, none for most. It
// refuses numbers that do not exist and names with more than MaxPerName.
func Claims(name string) ([]Behaviour, error) {
	var out []Behaviour
	for part := range strings.SplitSeq(name, "/") {
		found, err := claims(strings.TrimPrefix(part, "Test"))
		if err != nil {
			return nil, fmt.Errorf("test %s: %w", name, err)
		}
		for _, b := range found {
			if !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
	}
	return out, nil
}

// claims reads the behaviours that one part of a name begins with.
func claims(rest string) ([]Behaviour, error) {
	var out []Behaviour
	for {
		m := claim.FindStringSubmatch(rest)
		if m == nil {
			break
		}
		b, err := parse(m[1], m[2])
		if err != nil {
			return nil, err
		}
		out = append(out, b)
		rest = rest[len(m[0]):]
	}
	if len(out) > MaxPerName {
		return nil, fmt.Errorf("names %d behaviours, at most %d are allowed", len(out), MaxPerName)
	}
	return out, nil
}

// parse makes a behaviour of an area and digits.
func parse(area, digits string) (Behaviour, error) {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return Behaviour{}, fmt.Errorf("behaviour %s-%s: %w", area, digits, err)
	}
	b := Behaviour{area, n}
	if !slices.Contains(All(), b) || strconv.Itoa(n) != digits {
		return Behaviour{}, fmt.Errorf("behaviour %s-%s does not exist", area, digits)
	}
	return b, nil
}
