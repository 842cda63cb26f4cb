package world

import "reflect"

// maxFile is the size of a model's file that is still read, in bytes.
const maxFile = 4 << 20

// Parse reads a network model and checks all of it. The error joins one *FieldError per
// mistake and prints one line for each: file, path of the field, label of the item, reason.
// Fields that are not part of the format are no mistake; Model.Unknown lists them.
func Parse(file string, data []byte) (*Model, error) {
	d := &decoder{findings: findings{file: file}}
	if len(data) > maxFile {
		d.add("", "", "has %d bytes, more than the limit of %d", len(data), maxFile)
		return nil, d.err()
	}
	tree, err := parseTree(data)
	if err != nil {
		d.add("", "", "not a network model in JSON: %v", err)
		return nil, d.err()
	}
	m := &Model{File: file}
	d.value("", "", tree, reflect.ValueOf(m).Elem())
	m.Unknown = d.unknown
	c := &checker{findings: d.findings, m: m}
	c.run()
	if err := c.err(); err != nil {
		return nil, err
	}
	return m, nil
}
