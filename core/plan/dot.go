package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// DOT draws a graph in the language of Graphviz, the same text for the same graph. Colours tell
// how far an item is: green as intended, yellow seen in another form, red seen but not intended,
// white and dashed intended but not seen, grey somebody else's; a thick border has a call running.
func DOT(g Graph) string {
	var b strings.Builder
	b.WriteString("digraph plan {\n\trankdir=LR;\n\tnode [shape=box, style=filled];\n")
	marks := marks(g)
	group := ""
	for _, m := range marks {
		if m.group != group {
			closeGroup(&b, group)
			openGroup(&b, m.group)
			group = m.group
		}
		fmt.Fprintf(&b, "\t%q [label=%q, fillcolor=%s, style=%q, penwidth=%d];\n",
			m.key, m.label(), m.colour(), m.style(), m.width())
	}
	closeGroup(&b, group)
	for _, m := range marks {
		for _, n := range m.needs() {
			style := "solid"
			if m.want == nil {
				style = "dotted"
			}
			fmt.Fprintf(&b, "\t%q -> %q [label=%q, style=%s];\n", m.key, n.Key, n.Why, style)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// mark is one key of the drawing.
type mark struct {
	key, group string
	want, seen *Item
	call       *Call
}

// marks lists all keys by group, then by key.
func marks(g Graph) []*mark {
	byKey := map[string]*mark{}
	var all []*mark
	get := func(key string) *mark {
		m := byKey[key]
		if m == nil {
			m = &mark{key: key}
			byKey[key], all = m, append(all, m)
		}
		return m
	}
	for i := range g.Seen {
		m := get(g.Seen[i].Key)
		m.seen, m.group = &g.Seen[i], g.Seen[i].Group
	}
	for i := range g.Intended {
		m := get(g.Intended[i].Key)
		m.want, m.group = &g.Intended[i], g.Intended[i].Group
	}
	for i := range g.InFlight {
		get(g.InFlight[i].Key).call = &g.InFlight[i]
	}
	slices.SortFunc(all, func(a, b *mark) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.key, b.key))
	})
	return all
}

// openGroup starts the box of a group.
func openGroup(b *strings.Builder, group string) {
	if group != "" {
		fmt.Fprintf(b, "\tsubgraph %q {\n\tlabel=%q;\n", "cluster_"+group, group)
	}
}

// closeGroup ends it.
func closeGroup(b *strings.Builder, group string) {
	if group != "" {
		b.WriteString("\t}\n")
	}
}

// label is the text in the box: key, specs and what the call does.
func (m *mark) label() string {
	lines := []string{m.key}
	switch {
	case m.want != nil && m.seen != nil && m.want.Spec != m.seen.Spec:
		lines = append(lines, m.seen.Spec+" -> "+m.want.Spec)
	case m.want != nil:
		lines = append(lines, m.want.Spec)
	case m.seen != nil:
		lines = append(lines, m.seen.Spec)
	}
	if c := m.call; c != nil {
		phase := [...]string{"running", "done", "failed: " + c.Fault}[c.Phase]
		lines = append(lines, c.Verb.String()+" "+phase)
	}
	return strings.Join(lines, "\n")
}

// colour is the state of the item.
func (m *mark) colour() string {
	switch {
	case m.seen != nil && m.seen.External || m.want != nil && m.want.External:
		return "lightgrey"
	case m.seen == nil:
		return "white"
	case m.want == nil:
		return "salmon"
	case m.want.Spec != m.seen.Spec:
		return "khaki"
	}
	return "palegreen"
}

// style is dashed for what is not there.
func (m *mark) style() string {
	if m.seen == nil {
		return "filled,dashed"
	}
	return "filled"
}

// width is the border: thick while a call runs.
func (m *mark) width() int {
	if m.call != nil && m.call.Phase == Running {
		return 3
	}
	return 1
}

// needs are the edges to draw: those of the intended item if there is one.
func (m *mark) needs() []Need {
	switch {
	case m.want != nil:
		return m.want.Needs
	case m.seen != nil:
		return m.seen.Needs
	}
	return nil
}
