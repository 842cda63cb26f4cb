package hyper

import "github.com/evetwin/evetwin/backends/linux/hyper/domxml"

// unstarted says, by a domain's description, that its guest was not told to execute yet. A daemon
// that ends leaves such a guest behind when it is killed amid a start.
func unstarted(description string) bool {
	raw, err := domxml.Note(description)
	if err != nil {
		return false // a description that was not written to its end is the daemon's affair
	}
	return starting(raw)
}

// starting says, by a note, that a guest was not told to execute yet.
func starting(raw []byte) bool {
	n, err := readNote(raw)
	return err == nil && n != nil && n.Starting
}
