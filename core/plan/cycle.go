package plan

import (
	"fmt"
	"strings"
)

// visit is one level of the walk: a node and how far its edges have been followed.
type visit struct{ node, next int32 }

// walk returns the nodes that pick accepts, each after the ones it needs, and refuses a cycle by
// name. It keeps its own stack: depth is bounded by the graph, not by the goroutine.
func (p *planner) walk(what string, pick func(*node) (span, bool)) ([]int32, error) {
	const fresh, open, closed = 0, 1, 2
	state := make([]uint8, len(p.nodes))
	out := make([]int32, 0, len(p.nodes))
	var stack []visit
	for i := range p.nodes {
		if state[i] != fresh {
			continue
		}
		edges, accepted := pick(&p.nodes[i])
		if !accepted {
			continue
		}
		state[i] = open
		stack = append(stack[:0], visit{int32(i), edges.from})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			edges, _ := pick(&p.nodes[top.node])
			if top.next == edges.to {
				state[top.node] = closed
				out = append(out, top.node)
				stack = stack[:len(stack)-1]
				continue
			}
			to := p.edges[top.next].to
			top.next++
			if to == nowhere || state[to] == closed {
				continue
			}
			if state[to] == open {
				return nil, p.cycle(what, stack, to)
			}
			if edges, accepted := pick(&p.nodes[to]); accepted {
				state[to] = open
				stack = append(stack, visit{to, edges.from})
			}
		}
	}
	return out, nil
}

// cycle names the nodes from the one met twice to the top of the stack, and the first again.
func (p *planner) cycle(what string, stack []visit, again int32) error {
	var names []string
	for _, v := range stack {
		if v.node == again || len(names) > 0 {
			names = append(names, p.nodes[v.node].key)
		}
	}
	names = append(names, p.nodes[again].key)
	return fmt.Errorf("plan: %s items need each other: %s", what, strings.Join(names, " -> "))
}
