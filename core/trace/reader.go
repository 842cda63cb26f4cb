package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/evetwin/evetwin/core/trace/pack"
)

// Reader gives the frames of a recording back.
type Reader struct {
	blocks blockReader
	d      decoder
}

// ErrForeign says that a stream is no recording, or one of another version.
var ErrForeign = errors.New("not a recording of this version")

// NewReader begins to read a recording.
func NewReader(r io.Reader) (*Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head := make([]byte, len(magic))
	n, err := io.ReadFull(br, head)
	version, known := strings.CutPrefix(string(head[:n]), magicName)
	switch {
	case err == nil && string(head) == magic:
	case err == nil && known:
		return nil, fmt.Errorf("read trace: %w: it has version %s, and this program reads %s",
			ErrForeign, strings.TrimSpace(version), magic[len(magicName):len(magic)-1])
	default:
		return nil, fmt.Errorf("read trace: %w", ErrForeign)
	}
	start := int64(len(magic))
	return &Reader{blocks: blockReader{r: br, at: start, next: start},
		d: decoder{Decoder: pack.NewDecoder(), devices: map[string]*deviceIn{}}}, nil
}

// Next is the next frame; io.EOF behind the last one, and io.ErrUnexpectedEOF within one that was
// torn.
func (r *Reader) Next() (Frame, error) {
	f, err := r.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read trace in the block at byte %d: %w", r.blocks.at, err)
	}
	return f, err
}

func (r *Reader) next() (f Frame, err error) {
	kind, b, err := r.blocks.frame()
	if err != nil {
		return nil, err
	}
	r.d.Take(b)
	switch kind {
	case kindBoot:
		f = r.d.boot()
	case kindTable:
		f = r.d.table()
	case kindStart:
		f = r.d.start()
	case kindSeen:
		f = r.d.seen()
	case kindTurn:
		f = r.d.turn()
	default:
		return nil, fmt.Errorf("a frame of kind %q: %w", kind, ErrForeign)
	}
	if r.d.Bad || len(r.d.B) > 0 {
		return nil, fmt.Errorf("a frame that does not parse: %w", ErrForeign)
	}
	return f, nil
}

// NextTurn is the next turn; other frames are passed over.
func (r *Reader) NextTurn() (*Turn, error) {
	for {
		f, err := r.Next()
		if err != nil {
			return nil, err
		}
		if t, ok := f.(*Turn); ok {
			return t, nil
		}
	}
}
