package trace

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/s2"
)

// Frames stand in blocks: the length of the block as a varint, a CRC-32C of it, four bytes, lowest
// first, and the frames, whole ones, as an S2 block. A block is written when it is long enough or
// at a flush, so what a recording loses when its program is killed is a block.
const (
	blockSize = 64 << 10
	maxBlock  = 512 << 20
	maxHead   = binary.MaxVarintLen64 + 4
)

// blockWriter gathers frames.
type blockWriter struct {
	w      io.Writer
	frames []byte
	packed []byte
	bytes  int64 // written
	err    error // the first one
}

// add takes a frame.
func (w *blockWriter) add(kind byte, frame []byte) {
	if w.frames == nil {
		w.frames = make([]byte, 0, blockSize+blockSize/8)
	}
	w.frames = binary.AppendUvarint(w.frames, uint64(len(frame))+1)
	w.frames = append(append(w.frames, kind), frame...)
	if len(w.frames) >= blockSize {
		w.flush()
	}
}

// flush writes the block that has been gathered.
func (w *blockWriter) flush() {
	if len(w.frames) == 0 {
		return
	}
	if n := maxHead + s2.MaxEncodedLen(len(w.frames)); cap(w.packed) < n {
		w.packed = make([]byte, n)
	}
	w.packed = w.packed[:cap(w.packed)]
	n := len(s2.Encode(w.packed[maxHead:], w.frames))
	w.frames = w.frames[:0]
	var head [maxHead]byte
	k := binary.PutUvarint(head[:], uint64(n))
	sum := crc32.Checksum(w.packed[maxHead:maxHead+n], castagnoli())
	binary.LittleEndian.PutUint32(head[k:], sum)
	k += 4
	copy(w.packed[maxHead-k:], head[:k])
	w.put(w.packed[maxHead-k : maxHead+n]) // one write a block, so that a file needs no buffer
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func (w *blockWriter) put(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(b)
	w.bytes += int64(n)
	w.err = err
}

// blockReader gives frames back.
type blockReader struct {
	r      *bufio.Reader
	frames []byte
	at     int64 // where the block of frames begins
	next   int64 // where the next one does
}

// frame is the next frame and its kind; io.EOF behind the last one.
func (r *blockReader) frame() (kind byte, frame []byte, err error) {
	for len(r.frames) == 0 {
		if err := r.block(); err != nil {
			return 0, nil, err
		}
	}
	n, k := binary.Uvarint(r.frames)
	if k <= 0 || n == 0 || n > uint64(len(r.frames)-k) {
		r.frames = nil
		return 0, nil, fmt.Errorf("a frame that is longer than its block: %w", ErrForeign)
	}
	b := r.frames[k : k+int(n)]
	r.frames = r.frames[k+int(n):]
	return b[0], b[1:], nil
}

// block reads the next block.
func (r *blockReader) block() error {
	r.at = r.next
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		return err
	}
	if n == 0 || n > maxBlock {
		return fmt.Errorf("a block of %d bytes: %w", n, ErrForeign)
	}
	b, err := readN(r.r, int(n)+4)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	r.next += int64(len(binary.AppendUvarint(nil, n))) + int64(len(b))
	if binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli()) {
		return fmt.Errorf("a damaged block: %w", ErrForeign)
	}
	if size, err := s2.DecodedLen(b[4:]); err != nil || size > maxBlock {
		return fmt.Errorf("a block that unpacks to %d bytes: %w", size, ErrForeign)
	}
	r.frames, err = s2.Decode(nil, b[4:])
	if err != nil {
		return fmt.Errorf("a block that does not unpack: %w", ErrForeign)
	}
	return nil
}

// readN reads n bytes; memory grows with what is there, not with what a damaged length says.
func readN(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, 0, min(n, 64<<10))
	for len(b) < n {
		more := min(n-len(b), max(len(b), 64<<10))
		b = append(b, make([]byte, more)...)
		if _, err := io.ReadFull(r, b[len(b)-more:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}
