package logspool

// Line is a line on its way to a stream.
type Line struct {
	Stream string
	Text   []byte // with its end
}

// Queue has lines that wait for the disk. The zero value is of QueueBytes.
type Queue struct {
	// Limit is how many bytes wait at most; 0 means QueueBytes.
	Limit int

	lines   []Line
	bytes   int
	dropped int64
}

// QueueBytes is how many bytes wait for the disk if nobody says otherwise.
const QueueBytes = 1 << 20

func (q *Queue) limit() int {
	if q.Limit > 0 {
		return q.Limit
	}
	return QueueBytes
}

// Add adds a line, or counts it as dropped if too much waits. It reports whether it is the first
// that waits, and whether half of what may wait does.
func (q *Queue) Add(l Line) (first, half bool) {
	if q.bytes+len(l.Text) > q.limit() {
		q.dropped++
		return q.bytes == 0, true
	}
	first = len(q.lines) == 0
	q.lines = append(q.lines, l)
	q.bytes += len(l.Text)
	return first, q.bytes >= q.limit()/2
}

// Take empties the queue; dropped is how many lines did not fit since the last time.
func (q *Queue) Take() (lines []Line, dropped int64) {
	lines, dropped = q.lines, q.dropped
	q.lines, q.bytes, q.dropped = nil, 0, 0
	return lines, dropped
}
