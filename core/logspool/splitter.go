package logspool

import "bytes"

// LongestLine is the longest line of a console that is taken in one piece, in bytes.
const LongestLine = 4 << 10

// Splitter makes lines of what a console says. It is an io.Writer for one goroutine at a time.
type Splitter struct {
	// Line takes a line without its end.
	Line func(text string)

	rest []byte
}

// Write takes a piece, and never fails.
func (s *Splitter) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for len(s.rest) > 0 {
		n := bytes.IndexByte(s.rest, '\n')
		skip := 1
		if n < 0 || n > LongestLine {
			if len(s.rest) <= LongestLine {
				break
			}
			n, skip = LongestLine, 0
		}
		s.Line(string(bytes.TrimRight(s.rest[:n], "\r")))
		s.rest = s.rest[n+skip:]
	}
	return len(p), nil
}
