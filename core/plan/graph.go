package plan

import "time"

// Graph is all that a plan depends on.
type Graph struct {
	// Intended are the items that should be.
	Intended []Item
	// Seen are the items that are there, those of others (External) included.
	Seen []Item
	// InFlight are the calls that run, and the outcomes of ended calls that were not dropped yet.
	InFlight []Call
	// Scope, if not empty, is the group to work on: nothing outside of it is changed.
	Scope string
	// Now is the time since boot that Call.RetryAt is compared with.
	Now time.Duration
}

// Verb is what a call does to its item.
type Verb uint8

// The verbs, in the order in which a plan lists them.
const (
	Delete Verb = iota + 1
	Modify
	Create
)

// String returns the verb as a word.
func (v Verb) String() string {
	switch v {
	case Delete:
		return "delete"
	case Modify:
		return "modify"
	case Create:
		return "create"
	}
	return "nothing"
}

// Phase is how far a call is.
type Phase uint8

// The phases of a call. Queued calls count as running: they may start at any moment.
const (
	Running Phase = iota
	Done
	Failed
)

// Call is a call the agent has made and not dropped. What it asked for is the agent's to remember,
// in a Local row beside the call.
type Call struct {
	// Verb, Key and Spec are those of the Action that was wanted.
	Verb Verb
	Key  string
	Spec string
	// Phase says whether it runs or how it ended.
	Phase Phase
	// Fault is the text of the error of a failed call.
	Fault string
	// RetryAt is when a failed call may be made again, in time since boot, as the caller decides;
	// zero means only when the wish changes.
	RetryAt time.Duration
}

// Action is a call to want.
type Action struct {
	// Verb is what to do.
	Verb Verb
	// Key is the item, and the key of the call.
	Key string
	// Spec is the form to reach; for a delete, the form that is there.
	Spec string
	// Item is the intended item; for a delete, the seen one. It is nil for a delete of what is not
	// seen: one in flight whose item has gone already, or one that supersedes a create.
	Item *Item
	// Again asks for a redo: the same call has ended, with a failure whose time to retry has come
	// or with a success that the world no longer shows.
	Again bool
}

// Reason is why an item is not (yet) as it should be.
type Reason uint8

// The reasons of a Hold.
const (
	// Missing: a needed item is neither seen nor about to be created.
	Missing Reason = iota + 1
	// Unmet: the needed item is there, the predicate over it is false.
	Unmet
	// Foreign: the intended item is kept by somebody else.
	Foreign
	// Ordered: another item has its turn first.
	Ordered
	// Staged: creates wait until the deletes and modifies have ended.
	Staged
	// Ending: a call that is no longer right has not ended.
	Ending
	// Faulty: the last call for it failed, and its time to retry has not come.
	Faulty
)

// String returns the reason in words, to be followed by the other item's key.
func (r Reason) String() string {
	words := [...]string{"", "is missing", "does not suit", "belongs to somebody else",
		"has its turn first", "deletes and modifies come first", "an outdated call has not ended",
		"failed"}
	if int(r) < len(words) {
		return words[r]
	}
	return "unknown"
}

// Hold is an item that is not as it should be, and why.
type Hold struct {
	// Key is the item.
	Key string
	// Why is the reason.
	Why Reason
	// On is the other item of the reason, empty if there is none.
	On string
	// Fault is the error text of a Faulty item.
	Fault string
}

// Steps is a plan: what to want now and what stands in the way of the rest. Every list is sorted
// by key, Want by verb first.
type Steps struct {
	// Want are the calls to want now, those in flight that are still right included.
	Want []Action
	// Drop are the keys of ended calls whose outcome has served.
	Drop []string
	// Pending are intended items that wait for the world: something they need is not there and
	// nobody is about to make it.
	Pending []Hold
	// Waiting are items whose turn comes after other calls.
	Waiting []Hold
	// Blocked are items whose last call failed and whose time to retry has not come, or never comes.
	Blocked []Hold
	// Next is the earliest time to retry of the blocked items; zero if there is none.
	Next time.Duration
}

// Settled reports whether all is as intended, but for pending items.
func (s *Steps) Settled() bool {
	return len(s.Want) == 0 && len(s.Waiting) == 0 && len(s.Blocked) == 0
}
