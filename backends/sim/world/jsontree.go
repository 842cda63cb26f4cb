package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth limits how deep JSON may nest; the format itself needs seven levels.
const maxDepth = 32

// node is a JSON value. Objects keep the order of their fields, so that messages come in the
// order of the file.
type node struct {
	kind string // object, list, string, number, boolean, null
	text string // of a string or a number
	yes  bool   // of a boolean
	keys []string
	vals []*node
}

// field finds a field of an object; nil if it has none of that name.
func (n *node) field(key string) *node {
	for i, k := range n.keys {
		if k == key {
			return n.vals[i]
		}
	}
	return nil
}

// article puts "a" or "an" before the kind of a node; null stands alone.
func article(kind string) string {
	switch kind {
	case "object":
		return "an object"
	case "null":
		return kind
	}
	return "a " + kind
}

// parseTree reads one JSON value and nothing after it.
func parseTree(data []byte) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	n, err := parseNode(dec, 0)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the end of the model")
		}
	}
	if err != nil {
		return nil, positioned(data, dec.InputOffset(), err)
	}
	if n.kind != "object" {
		return nil, fmt.Errorf("must be an object, is %s", article(n.kind))
	}
	return n, nil
}

// positioned adds line and column to a syntax error.
func positioned(data []byte, at int64, err error) error {
	var syn *json.SyntaxError
	if errors.As(err, &syn) {
		at = syn.Offset - 1
	}
	at = max(0, min(at, int64(len(data))))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = int64(len(data)), errors.New("the file ends too early")
	}
	head := data[:at]
	line := bytes.Count(head, []byte("\n")) + 1
	col := len(head) - bytes.LastIndexByte(head, '\n')
	return fmt.Errorf("line %d, column %d: %w", line, col, err)
}

func parseNode(dec *json.Decoder, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		return parseInside(dec, t, depth)
	case string:
		return &node{kind: "string", text: t}, nil
	case json.Number:
		return &node{kind: "number", text: t.String()}, nil
	case bool:
		return &node{kind: "boolean", yes: t}, nil
	}
	return &node{kind: "null"}, nil
}

// parseInside reads the rest of an object or a list after its opening bracket.
func parseInside(dec *json.Decoder, open json.Delim, depth int) (*node, error) {
	n := &node{kind: "list"}
	seen := map[string]bool{}
	if open == '{' {
		n.kind = "object"
	}
	for dec.More() {
		if open == '{' {
			tok, err := dec.Token()
			if err != nil {
				return nil, err
			}
			key, ok := tok.(string)
			if !ok {
				return nil, fmt.Errorf("a field has no name")
			}
			if seen[key] {
				return nil, fmt.Errorf("field %s is there twice", quoted(key))
			}
			seen[key] = true
			n.keys = append(n.keys, key)
		}
		v, err := parseNode(dec, depth+1)
		if err != nil {
			return nil, err
		}
		n.vals = append(n.vals, v)
	}
	_, err := dec.Token()
	return n, err
}
