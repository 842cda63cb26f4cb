package plan

// Item is one thing to be kept: intended, or seen.
type Item struct {
	// Key is "type/name", unique in the whole graph; see Key.
	Key string
	// Group names the subgraph, nested by slashes: "ni/5" lies inside "ni". Empty is the root.
	Group string
	// Spec is the wanted form, or its hash; of a seen item, the form last applied to it. Two equal
	// specs mean that nothing has to be done.
	Spec string
	// Needs are the items this one cannot be without. A seen item of the intended spec takes the
	// needs of the intended item; any other seen item has its own, and borrows them too if nil.
	Needs []Need
	// External marks an item that somebody else keeps: it is never created, changed or deleted,
	// and only the seen one counts. Among the intended items it is for the drawing only.
	External bool
	// Replace, of an intended item, says that another spec cannot be applied in place: the seen
	// item is deleted and created anew.
	Replace bool
	// Data is for the caller and for predicates; the planner does not look at it.
	Data any
}

// Need is one dependency of an item.
type Need struct {
	// Key is the required item.
	Key string
	// Holds, if not nil, must be true of the required item as it is seen; before that item is
	// modified it is also asked about the intended form.
	Holds func(required *Item) bool
	// Recreate says that after any change of the required item the dependant must be deleted and
	// created, not just left standing.
	Recreate bool
	// Vanishes says that whoever takes away the external required item takes the dependant with
	// it, as a kernel drops the routes of a lost link: no delete is called for.
	Vanishes bool
	// Why says in words what the dependency is for; it labels the drawing.
	Why string
}

// Key joins the type and the name of an item.
func Key(kind, name string) string { return kind + "/" + name }

// holds reports whether the predicate of a need accepts an item.
func (n *Need) holds(it *Item) bool { return n.Holds == nil || n.Holds(it) }
