package readjson

import (
	"fmt"
	"slices"
	"strings"
)

// checker looks for what no machine can have.
type checker struct {
	file  string
	names map[string]string // kind and value to the path that has it
	group map[string]string // PCI address to assignment group
	above map[string]string // group to parent group
}

func checkModel(file string, m *Model) error {
	c := &checker{file, map[string]string{}, map[string]string{}, map[string]string{}}
	for i, one := range m.Members {
		if err := c.member(one, fmt.Sprintf("ioMemberList[%d]", i)); err != nil {
			return err
		}
	}
	for i, one := range m.Members {
		if cycle := c.cycle(one.IO.GetAssigngrp()); cycle != "" {
			return fmt.Errorf("%s: ioMemberList[%d].parentassigngrp: groups are above each other: %s",
				file, i, cycle)
		}
	}
	return nil
}

func (c *checker) member(m Member, path string) error {
	io := m.IO
	if io.GetPhylabel() == "" {
		return fmt.Errorf("%s: %s.phylabel: it is empty", c.file, path)
	}
	logical := io.GetLogicallabel()
	if logical == "" {
		logical = io.GetPhylabel()
	}
	if err := c.unique("phylabel", io.GetPhylabel(), path+".phylabel"); err != nil {
		return err
	}
	if err := c.unique("logicallabel", logical, path+".logicallabel"); err != nil {
		return err
	}
	keys := make([]string, 0, len(io.GetPhyaddrs()))
	for k := range io.GetPhyaddrs() { //order: sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := c.address(m, k, io.GetPhyaddrs()[k], join(path+".phyaddrs", k)); err != nil {
			return err
		}
	}
	if p := io.GetParentassigngrp(); p != "" && io.GetAssigngrp() != "" {
		c.above[io.GetAssigngrp()] = p
	}
	return nil
}

func (c *checker) address(m Member, key, val, path string) error {
	switch key = strings.ToLower(key); key {
	case "pcilong":
		if !isPCI(val) {
			return fmt.Errorf("%s: %s: %q is not a PCI address like 0000:02:00.0", c.file, path, val)
		}
		group := m.IO.GetAssigngrp()
		if other, seen := c.group[val]; seen && other != group {
			return fmt.Errorf("%s: %s: %s is in assignment group %q and in %q", c.file, path, val,
				other, group)
		}
		c.group[val] = group
	case "ifname", "serial", "usbaddr":
		if val != "" {
			return c.unique(key, val, path)
		}
	}
	return nil
}

func (c *checker) unique(kind, val, path string) error {
	id := kind + "=" + val
	if other, seen := c.names[id]; seen {
		return fmt.Errorf("%s: %s: %q is used by %s already", c.file, path, val, other)
	}
	c.names[id] = path
	return nil
}

// cycle follows the parents of a group and returns the way if it leads back, else "".
func (c *checker) cycle(group string) string {
	way := []string{group}
	for at := c.above[group]; at != ""; at = c.above[at] {
		if slices.Contains(way, at) {
			return strings.Join(append(way, at), " > ")
		}
		way = append(way, at)
	}
	return ""
}

// isPCI accepts "dddd:bb:dd.f" and, as some models have it, "bb:dd.f".
func isPCI(s string) bool {
	if strings.Count(s, ":") == 1 {
		s = "0000:" + s
	}
	const form = "hhhh:hh:hh.f"
	if len(s) != len(form) {
		return false
	}
	for i := range len(form) {
		c := s[i] | 0x20
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		switch form[i] {
		case 'h':
			if !hex {
				return false
			}
		case 'f':
			if s[i] < '0' || s[i] > '7' {
				return false
			}
		default:
			if s[i] != form[i] {
				return false
			}
		}
	}
	return true
}
