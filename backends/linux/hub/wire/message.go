package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/evetwin/evetwin/core/agent"
)

// Turn is one turn of an agent: what it put, as a unit.
type Turn struct {
	// Agent is its number in Hello, Number the turn's.
	Agent  int
	Number uint64
	// Durable says that somebody waits for its Stored.
	Durable bool
	Tables  []Table
}

// AppendTurn encodes a turn as a frame.
func AppendTurn(b []byte, t *Turn) []byte {
	b, at := Begin(b, KindTurn)
	b = binary.AppendUvarint(b, uint64(t.Agent))
	b = binary.AppendUvarint(b, t.Number)
	b = append(b, flag(t.Durable))
	return End(appendTables(b, t.Tables), at)
}

// ReadTurn decodes the body of a KindTurn.
func ReadTurn(b []byte) (Turn, error) {
	r := &body{b: b}
	t := Turn{Agent: int(r.uint()), Number: r.uint(), Durable: r.byte() != 0, Tables: r.tables()}
	return t, r.err
}

// Tables is all that a process publishes and wants, whatever was said before.
type Tables struct {
	Tables []Table
	// Stored are turns of which somebody waits until they are durable; the tables have them.
	Stored []Stored
	// Calls are the numbers of the calls that go on; all others are to end.
	Calls []uint64
	// Turns is how many turns each agent has had, in the order of Hello.
	Turns []uint64
}

// Stored names a turn that is durable.
type Stored struct {
	Agent  int
	Number uint64
}

// AppendTables encodes tables as a frame.
func AppendTables(b []byte, t *Tables) []byte {
	b, at := Begin(b, KindTables)
	b = appendStored(b, t.Stored)
	b = binary.AppendUvarint(b, uint64(len(t.Calls)))
	for _, id := range t.Calls {
		b = binary.AppendUvarint(b, id)
	}
	b = binary.AppendUvarint(b, uint64(len(t.Turns)))
	for _, n := range t.Turns {
		b = binary.AppendUvarint(b, n)
	}
	return End(appendTables(b, t.Tables), at)
}

// ReadTables decodes the body of a KindTables.
func ReadTables(b []byte) (Tables, error) {
	r := &body{b: b}
	t := Tables{Stored: r.stored()}
	for range r.count() {
		t.Calls = append(t.Calls, r.uint())
	}
	for range r.count() {
		t.Turns = append(t.Turns, r.uint())
	}
	t.Tables = r.tables()
	return t, r.err
}

// State is what moved since the last one: the newest of every topic, never what was between.
type State struct {
	// Skew is how far the device's wall clock is from the machine's, in nanoseconds.
	Skew   int64
	Stored []Stored
	// Ends lie behind the rows that their calls caused.
	Ends   []Outcome
	Tables []Table
}

// Outcome is the end of a call: a result as JSON, or a fault.
type Outcome struct {
	ID    uint64
	Res   json.RawMessage `json:",omitempty"`
	Fault *agent.Fault    `json:",omitempty"`
}

// AppendState begins the frame of a state, with room for n tables; AppendTable and AppendRow add
// them, and End closes the frame.
func AppendState(b []byte, s *State, n int) (out []byte, at int, err error) {
	b, at = Begin(b, KindState)
	b = binary.AppendVarint(b, s.Skew)
	b = appendStored(b, s.Stored)
	ends := []byte(nil)
	if len(s.Ends) > 0 {
		if ends, err = json.Marshal(s.Ends); err != nil {
			return b, at, fmt.Errorf("encode ends of calls: %w", err)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(ends)))
	b = append(b, ends...)
	return binary.AppendUvarint(b, uint64(n)), at, nil
}

// ReadState decodes the body of a KindState.
func ReadState(b []byte) (State, error) {
	r := &body{b: b}
	skew, n := binary.Varint(b)
	if n <= 0 {
		return State{}, errShort
	}
	r.b = r.b[n:]
	s := State{Skew: skew, Stored: r.stored()}
	if ends := r.bytes(r.count()); len(ends) > 0 {
		if err := json.Unmarshal(ends, &s.Ends); err != nil {
			return s, fmt.Errorf("read ends of calls: %w", err)
		}
	}
	s.Tables = r.tables()
	return s, r.err
}

// Call asks for an op.
type Call struct {
	// ID is the process's own number of the call.
	ID uint64
	// Agent and Op are their numbers in Hello.
	Agent, Op int
	Key       string
	Req       []byte // JSON
}

// AppendCall encodes a call as a frame.
func AppendCall(b []byte, c *Call) []byte {
	b, at := Begin(b, KindCall)
	b = binary.AppendUvarint(b, c.ID)
	b = binary.AppendUvarint(b, uint64(c.Agent))
	b = binary.AppendUvarint(b, uint64(c.Op))
	b = appendText(b, c.Key)
	return End(append(b, c.Req...), at)
}

// ReadCall decodes the body of a KindCall.
func ReadCall(b []byte) (Call, error) {
	r := &body{b: b}
	c := Call{ID: r.uint(), Agent: int(r.uint()), Op: int(r.uint()), Key: r.text()}
	c.Req = r.b
	return c, r.err
}

// AppendCancel encodes the end of the wish for a call as a frame.
func AppendCancel(b []byte, id uint64) []byte {
	b, at := Begin(b, KindCancel)
	return End(binary.AppendUvarint(b, id), at)
}

// ReadCancel decodes the body of a KindCancel.
func ReadCancel(b []byte) (uint64, error) {
	r := &body{b: b}
	return r.uint(), r.err
}

func appendTables(b []byte, list []Table) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i := range list {
		b = AppendWhole(b, &list[i])
	}
	return b
}

func appendStored(b []byte, list []Stored) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = binary.AppendUvarint(b, uint64(s.Agent))
		b = binary.AppendUvarint(b, s.Number)
	}
	return b
}

func (r *body) stored() []Stored {
	var out []Stored
	for range r.count() {
		out = append(out, Stored{Agent: int(r.uint()), Number: r.uint()})
	}
	return out
}

func flag(is bool) byte {
	if is {
		return 1
	}
	return 0
}
