package live

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"github.com/evetwin/evetwin/core/host"
)

// entry is a record in the journal's file: rows of a turn, or the count of boots. On disk it is its
// length and its CRC-32C, four bytes each, lowest first, and its JSON.
type entry struct {
	Boot  uint64        `json:"boot,omitempty"`
	Agent string        `json:"agent,omitempty"`
	Turn  uint64        `json:"turn,omitempty"`
	Rows  []host.Stored `json:"rows,omitempty"`
}

// headSize is that of length and checksum.
const headSize = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame appends a record to out.
func frame(out []byte, e *entry) []byte {
	body, err := json.Marshal(e)
	if err != nil {
		panic("live: encode a journal record: " + err.Error())
	}
	return seal(out, body)
}

// seal appends the body of a record behind its length and checksum.
func seal(out, body []byte) []byte {
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(body, castagnoli))
	return append(out, body...)
}

// readEntries gives every record of a file to take, up to the first that is torn or damaged, and
// returns how many bytes they fill. What stands behind that one is not taken: it may build on it.
func readEntries(b []byte, take func(*entry)) (whole int, err error) {
	for len(b)-whole >= headSize {
		rest := b[whole:]
		n := int(binary.LittleEndian.Uint32(rest))
		if n > len(rest)-headSize {
			return whole, nil
		}
		body := rest[headSize : headSize+n]
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			return whole, nil
		}
		var e entry
		if err := json.Unmarshal(body, &e); err != nil {
			return whole, fmt.Errorf("read record at byte %d: %w", whole, err)
		}
		take(&e)
		whole += headSize + n
	}
	return whole, nil
}
