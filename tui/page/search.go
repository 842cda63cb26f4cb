package page

import (
	"strings"
	"unicode/utf8"

	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// search is a word that filters a list, and the typing of it.
type search struct {
	open bool
	word string
	was  string // before it was opened
}

// searchHints are the keys while a word is typed.
var searchHints = []Hint{{"type", "a word"}, {"enter", "keep"}, {"esc", "drop"}}

// maxWord bounds the word in bytes.
const maxWord = 60

// press takes a key and reports whether the search has a use for it.
func (q *search) press(key string) bool {
	switch {
	case !q.open && key == "/":
		q.open, q.was = true, q.word
	case !q.open && key == "esc" && q.word != "":
		q.word = ""
	case !q.open:
		return false
	case key == "enter":
		q.open = false
	case key == "esc":
		q.open, q.word = false, q.was
	case key == "backspace":
		_, n := utf8.DecodeLastRuneInString(q.word)
		q.word = q.word[:len(q.word)-n]
	case key == "ctrl+u":
		q.word = ""
	case utf8.RuneCountInString(key) == 1 && len(q.word) < maxWord:
		q.word += key
	}
	return true
}

// matches reports whether the word is in one of the texts; case does not matter.
func (q *search) matches(texts ...string) bool {
	if q.word == "" {
		return true
	}
	word := strings.ToLower(q.word)
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), word) {
			return true
		}
	}
	return false
}

// note shows the word, empty without one.
func (q *search) note() widget.Line {
	switch {
	case q.open:
		return widget.Text(style.Hint, "/").Put(style.Fresh, q.word+"_")
	case q.word != "":
		return widget.Text(style.Hint, "/").Put(style.Accent, q.word)
	}
	return widget.Line{}
}
