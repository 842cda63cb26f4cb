package domainmgr

import (
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// notes are what is wrong with one adapter.
type notes struct {
	errors   []string
	warnings []string
}

// described makes one error of all; it is a warning if all are.
func (n *notes) described() entity.ErrorDescription {
	out := entity.ErrorDescription{ErrorSeverity: entity.SeverityError}
	if len(n.errors) == 0 {
		out.ErrorSeverity = entity.SeverityWarning
	}
	out.Error = strings.Join(append(slices.Clone(n.errors), n.warnings...), "\n")
	return out
}

func (k *stock) wrong(i int, text string) {
	if !slices.Contains(k.notes[i].errors, text) {
		k.notes[i].errors = append(k.notes[i].errors, text)
	}
}

// checkModel finds what makes no sense in the device model. Each finding is kept with the adapters
// it is about.
func (k *stock) checkModel() {
	for i := range k.list {
		k.checkParent(i)
	}
	for i := range k.list {
		for j := range k.list[:i] {
			k.checkPair(j, i)
		}
	}
}

// checkParent looks at the group that an adapter's own depends on.
func (k *stock) checkParent(i int) {
	b := &k.list[i]
	parent := b.ParentAssignmentGroup
	switch {
	case parent == "":
		return
	case b.AssignmentGroup == "":
		k.wrong(i, "it has parent assignment group "+parent+" and no assignment group")
	case parent == b.AssignmentGroup:
		k.wrong(i, "assignment group "+parent+" is its own parent")
	case k.inGroup(parent) < 0:
		k.wrong(i, "parent assignment group "+parent+" does not exist")
	case k.circles(b.AssignmentGroup):
		k.wrong(i, "cycle of parent assignment groups through "+b.AssignmentGroup)
	}
	for j := range k.list {
		o := &k.list[j]
		if b.AssignmentGroup != "" && o.AssignmentGroup == b.AssignmentGroup &&
			o.ParentAssignmentGroup != parent {
			text := "adapters of assignment group " + b.AssignmentGroup + " have different parents"
			k.wrong(i, text)
			k.wrong(j, text)
		}
	}
}

// inGroup is the first adapter of a group, -1 if there is none.
func (k *stock) inGroup(group string) int {
	return slices.IndexFunc(k.list, func(b network.IoBundle) bool {
		return b.AssignmentGroup == group
	})
}

// parentOf is the parent of a group, empty if it has none.
func (k *stock) parentOf(group string) string {
	for i := range k.list {
		if b := &k.list[i]; b.AssignmentGroup == group && b.ParentAssignmentGroup != "" {
			return b.ParentAssignmentGroup
		}
	}
	return ""
}

// circles reports whether the way up from a group leads back to it.
func (k *stock) circles(group string) bool {
	at := group
	for range k.list {
		if at = k.parentOf(at); at == "" {
			return false
		}
		if at == group {
			return true
		}
	}
	return false
}

// checkPair looks at two adapters that may be one, or may not be apart.
func (k *stock) checkPair(i, j int) {
	a, b := &k.list[i], &k.list[j]
	if a.UsbAddr+a.UsbProduct != "" && a.UsbAddr == b.UsbAddr && a.UsbProduct == b.UsbProduct &&
		a.PciLong == b.PciLong && a.AssignmentGroup == b.AssignmentGroup {
		text := "adapters " + a.Phylabel + " and " + b.Phylabel + " collide: they have the same address"
		k.wrong(i, text)
		k.wrong(j, text)
	}
	if !sameController(a, b) || a.AssignmentGroup == b.AssignmentGroup {
		return
	}
	if a.AssignmentGroup != "" && b.AssignmentGroup != "" {
		text := "adapters " + a.Phylabel + " and " + b.Phylabel +
			" are on one PCI controller and in different assignment groups"
		k.wrong(i, text)
		k.wrong(j, text)
		return
	}
	joins, group := i, b.AssignmentGroup
	if a.AssignmentGroup != "" {
		joins, group = j, a.AssignmentGroup
	}
	k.notes[joins].warnings = append(k.notes[joins].warnings, "adapter "+k.list[joins].Phylabel+
		" goes with assignment group "+group+": it is on the same PCI controller")
}
