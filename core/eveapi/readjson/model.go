package readjson

import (
	"fmt"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
)

// maxModel bounds the size of a device model in bytes, maxMembers its adapters.
const (
	maxModel   = 1 << 20
	maxMembers = 256
)

// Member is an adapter of a device model.
type Member struct {
	IO   *config.PhysicalIO
	Cost uint32 // of sending through it, if it is a network port
}

// Model is a device model as Eden has them.
type Model struct {
	Members []Member
	// Arch is the processors' architecture in OCI's words, "amd64" or "arm64"; empty if the model
	// does not say.
	Arch string
	// Attr are the machine's figures as they stand there ("memory": "4G"), in the order of the file.
	Attr []Attr
	// Unknown lists the fields of adapters that are skipped, by path.
	Unknown []string
}

// Attr is one figure of a machine.
type Attr struct{ Name, Value string }

// IOs lists the adapters as a configuration has them.
func (m *Model) IOs() []*config.PhysicalIO {
	out := make([]*config.PhysicalIO, 0, len(m.Members))
	for _, one := range m.Members {
		out = append(out, one.IO)
	}
	return out
}

// ReadModel reads a device model and checks that a machine can be like that. The error is one
// line and names file, field and reason.
func ReadModel(file string, data []byte) (*Model, error) {
	o, err := parse(file, data, maxModel)
	if err != nil {
		return nil, err
	}
	d := &decoder{file: file}
	m := &Model{}
	list, ok := o.get("ioMemberList").([]value)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%s: ioMemberList: there is no list of adapters", file)
	}
	if len(list) > maxMembers {
		return nil, fmt.Errorf("%s: ioMemberList: %d adapters exceed the limit of %d", file, len(list),
			maxMembers)
	}
	for i, v := range list {
		one, err := d.member(v, fmt.Sprintf("ioMemberList[%d]", i))
		if err != nil {
			return nil, err
		}
		m.Members = append(m.Members, one)
	}
	if m.Arch, err = architecture(file, o.get("arch")); err != nil {
		return nil, err
	}
	if attr, ok := o.get("attr").(*object); ok {
		for _, f := range attr.fields {
			text, ok := f.val.(string)
			if !ok {
				text = show(f.val)
			}
			m.Attr = append(m.Attr, Attr{f.name, text})
		}
	}
	m.Unknown = d.skipped()
	return m, checkModel(file, m)
}

// architecture reads the architecture of a machine: models have the numbers of zcloud's ZArch, of
// which EVE runs on two.
func architecture(file string, v value) (string, error) {
	if v == nil {
		return "", nil
	}
	switch n, ok := wholeNumber(v); {
	case ok && n == 0:
		return "", nil
	case ok && n == 2:
		return "amd64", nil
	case ok && n == 4:
		return "arm64", nil
	}
	return "", fmt.Errorf("%s: arch: %s is neither 2 (amd64) nor 4 (arm64)", file, show(v))
}

// member reads an adapter. Models say "ztype" where configurations say "ptype", and state a cost.
func (d *decoder) member(v value, path string) (Member, error) {
	o, ok := v.(*object)
	if !ok {
		return Member{}, d.refuse(path, v, "is not an object")
	}
	out := Member{IO: &config.PhysicalIO{}}
	if err := d.message(out.IO.ProtoReflect(), o, path, "ztype", "cost"); err != nil {
		return out, err
	}
	if z := o.get("ztype"); z != nil {
		t, err := d.enum(out.IO.GetPtype().Descriptor(), z, path+".ztype")
		if err != nil {
			return out, err
		}
		out.IO.Ptype = evecommon.PhyIoType(t.Enum())
	} else if o.get("ptype") == nil {
		return out, fmt.Errorf("%s: %s.ztype: the adapter has no type", d.file, path)
	}
	if _, known := evecommon.PhyIoType_name[int32(out.IO.GetPtype())]; !known {
		return out, fmt.Errorf("%s: %s.ztype: %d is not a value of PhyIoType", d.file, path,
			out.IO.GetPtype())
	}
	if c := o.get("cost"); c != nil {
		n, ok := wholeNumber(c)
		if !ok || n < 0 || n > 255 {
			return out, d.refuse(path+".cost", c, "is not between 0 and 255")
		}
		out.Cost = uint32(n)
	}
	return out, nil
}
