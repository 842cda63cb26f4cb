package volumemgr

import (
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// unfolded is what a content tree was found to consist of, so that only trees that something has
// changed for are unfolded again.
type unfolded struct {
	ContentID string
	Parts     []part // root first, then what it consists of, as far as known
	Closed    bool   // the parts are all
	Tagged    bool   // its root was found by a tag
	// Unread says that its parts, or where it comes from, are not known yet: which blobs are wanted is
	// not the whole truth.
	Unread  bool
	Refused bool   // all trees together would consist of too many blobs
	Ask     string // key of the resolution it waits for; empty if for none
	State   entity.SwState
	Wrong   entity.ErrorDescription
}

// Key is the content tree's UUID.
func (u unfolded) Key() string { return u.ContentID }

// wanting is what one content tree wants of one blob.
type wanting struct {
	Tree string
	Use  use
}

// Key begins with the blob's hash, so that the trees that want a blob stand together.
func (w wanting) Key() string { return w.Use.Sha + "#" + w.Tree }

// waiting is a blob or volume that does not go on by itself: it waits for others.
type waiting struct {
	For string // one of the kinds below
	ID  string // of the blob or volume
}

// Key is what it waits for and who it is.
func (w waiting) Key() string { return w.For + w.ID }

// What a waiting one waits for.
const (
	blobForTurn    = "turn."   // fewer downloads at once
	blobForSpace   = "space."  // space on the disk
	volumeForSpace = "volume." // the same
)

// stray is something on the disk that nobody is known to want.
type stray struct{ Kind, ID string }

// Key is kind and name.
func (s stray) Key() string { return s.Kind + s.ID }

// Kinds of strays.
const (
	strayBlob   = "blob."
	strayVolume = "volume."
)

// ledger is what applies to all objects, as it was at the end of the turn before.
type ledger struct {
	Taken   int64  // bytes that blobs and volumes take of the disk
	Left    uint64 // bytes that remain
	Busy    bool   // as many downloads were under way as may be
	Uses    int    // blobs that all trees consist of
	Refused int    // trees that would have been too much
	Ground  ground
}

// ground is what every object stands on; when it moves, all are looked at.
type ground struct {
	Trees, Volumes, Refs, SeenBlobs, SeenVolumes bool // are complete
	Arch                                         string
}

// Key is "global".
func (ledger) Key() string { return entity.Global }

// maxTurns bounds what moves in every turn; see the roster.
const maxTurns = 6000

var (
	unfoldeds = bus.NewTopic[unfolded](bus.Decl{Owner: "volumemgr", Name: "Unfolded",
		Life: bus.Local, MaxBytes: 256 << 10})
	wantings = bus.NewTopic[wanting](bus.Decl{Owner: "volumemgr", Name: "Wanting", Life: bus.Local,
		MaxRows: maxUses})
	waitings = bus.NewTopic[waiting](bus.Decl{Owner: "volumemgr", Name: "Waiting", Life: bus.Local,
		MaxRows: 2 * content.MaxBlobs})
	strays = bus.NewTopic[stray](bus.Decl{Owner: "volumemgr", Name: "Stray", Life: bus.Local,
		MaxRows: 2 * content.MaxBlobs})
	ledgers = bus.NewTopic[ledger](bus.Decl{Owner: "volumemgr", Name: "Ledger", Life: bus.Local,
		MaxRows: 1, MaxPuts: maxTurns})
)
