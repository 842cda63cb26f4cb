package plan

import "strings"

// node is what the graph says about one key.
type node struct {
	key  string
	want *Item // intended, unless it is external
	seen *Item // nil if not there, or if it went with its external base
	call *Call
	// need are the edges of the intended item, base those of the seen one.
	need, base span

	changes bool  // the seen item is ours and is to become another one
	ok      bool  // the intended item can be there in the end, as far as is known
	doomed  bool  // the seen item has to go
	heldBy  int32 // who must let go before it is deleted or changed
}

// span is a range of edges.
type span struct{ from, to int32 }

// edge is a need with its end resolved; to is nowhere if nobody knows the key.
type edge struct {
	need *Need
	to   int32
}

const nowhere = -1

// planner is the work sheet of one call of Plan.
type planner struct {
	graph *Graph
	nodes []node
	edges []edge

	orphan bool // a call is in flight of which nobody knows what it stands on
	staged bool // stage 1 has work in flight or about to be
	steps  Steps
}

// mine reports whether the seen item is there and ours to change.
func (n *node) mine() bool { return n.seen != nil && !n.seen.External }

// foreign reports whether the seen item is there and somebody else's.
func (n *node) foreign() bool { return n.seen != nil && n.seen.External }

// busy reports whether a call for the item has not ended.
func (n *node) busy() bool { return n.call != nil && n.call.Phase == Running }

// settled reports whether the item is there in its intended form, untouched by any call.
func (n *node) settled() bool {
	return n.seen != nil && !n.doomed && !n.busy() && (n.foreign() || n.want != nil && !n.changes)
}

// inside reports whether the plan may touch the node.
func (p *planner) inside(n *node) bool {
	scope := p.graph.Scope
	if scope == "" {
		return true
	}
	group := scope // a call without an item is everybody's
	switch {
	case n.want != nil:
		group = n.want.Group
	case n.seen != nil:
		group = n.seen.Group
	}
	rest, found := strings.CutPrefix(group, scope)
	return found && (rest == "" || rest[0] == '/')
}
