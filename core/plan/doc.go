// Package plan orders the work on things that need each other: bridges, addresses, routes,
// servers. It compares what should be with what is seen and with the calls already made, and
// says which calls to want and which to drop.
//
// Plan is a function of its argument: no state, no goroutine, no clock, no map order. The caller
// is an agent. Every turn it builds the intended items from its configuration tables and the
// seen items from Seen rows, adds the calls it has, asks for a plan and carries it out:
//
//	steps, err := plan.Plan(graph)
//	for _, a := range steps.Want {
//		calls.Want(a.Key, request(a)) // and calls.Redo(a.Key) if a.Again
//	}
//	for _, key := range steps.Drop {
//		calls.Drop(key)
//	}
//
// One plan names only the calls that may run now, side by side and in any order. The next turn,
// with the next rows, names the rest. So nothing has to be remembered: an agent that was killed
// half-way plans again from what is there and gets to the same end.
//
// # Order
//
// Stage 1 deletes and modifies. An item is deleted because it is not intended, because something
// it needs is missing, goes, or changes in a way it cannot live with, or because its own change
// cannot be made in place; what stands on it goes first. A modify waits for the items its new
// form needs. Stage 2 creates, and only when no call of stage 1 is wanted or in flight; an item is
// created when all it needs is there in its intended form.
//
// A running call that is no longer right is not dropped, for it may still take effect and nobody
// would know: a create is superseded by a delete under the same key, which cancels it and starts
// when it has ended; a modify or a delete runs to its end. Meanwhile what the outdated call may
// stand on stays.
//
// # What the caller must keep
//
// All verbs of one item go through one call key, so that the fence of calls orders them, and every
// op is idempotent: a delete of what is not there succeeds. An absent seen item means that it is
// not there; a caller that does not know yet (the table is not complete) must not plan.
package plan
