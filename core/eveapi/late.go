package eveapi

import "time"

// LateBy is how long a message may be under way. A controller takes one whose stamp is before that
// of the message it holds of the same object, by no more than this, for an old one that comes
// late; a greater step back is that of a clock which was set.
//
// EVE: says nothing of messages that overtake each other. A controller that believes whatever comes
// last may hold an old state for ever.
const LateBy = 3 * time.Minute
