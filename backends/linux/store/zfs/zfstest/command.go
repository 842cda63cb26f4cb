package zfstest

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// line is a command as it was given.
type line struct {
	size              int64
	columns, kind     string
	properties        map[string]string
	deep, bare, exact bool
	names             []string
}

// parse reads the arguments of a command.
func parse(args []string) (l line, err error) {
	l.properties = map[string]string{}
	f := flag.NewFlagSet("zfs", flag.ContinueOnError)
	f.Int64Var(&l.size, "V", 0, "size of a zvol")
	f.Func("b", "size of its blocks", func(text string) error {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && l.size%n != 0 {
			err = fmt.Errorf("cannot create: volume size must be a multiple of volume block size")
		}
		return err
	})
	f.Func("o", "columns, or a property", func(text string) error {
		name, value, found := strings.Cut(text, "=")
		if l.columns = text; found {
			l.properties[name] = value
		}
		return nil
	})
	f.StringVar(&l.kind, "t", "", "kind of dataset")
	f.BoolVar(&l.deep, "r", false, "and all below")
	f.BoolVar(&l.bare, "H", false, "for programs")
	f.BoolVar(&l.exact, "p", false, "numbers in full")
	err = f.Parse(args)
	l.names = f.Args()
	return l, err
}

// command carries out a command.
func (p *Pool) command(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("missing command")
	}
	l, err := parse(args[1:])
	if err != nil {
		return err
	}
	switch {
	case args[0] == "create" && len(l.names) == 1 && (l.size > 0 ||
		l.properties["canmount"] == "off"):
		return p.create(l.names[0], l.size)
	case args[0] == "rename" && len(l.names) == 2:
		return p.rename(l.names[0], l.names[1])
	case args[0] == "destroy" && l.deep && len(l.names) == 1:
		return p.destroy(l.names[0])
	case args[0] == "list" && l.bare && len(l.names) == 1:
		return p.list(&l)
	}
	return fmt.Errorf("invalid command: zfs %s", strings.Join(args, " "))
}

// list writes datasets on the standard output.
func (p *Pool) list(l *line) error {
	name := l.names[0]
	if strings.HasPrefix(name, "/") {
		if name != filepath.Join(p.root, pool) {
			return fmt.Errorf("cannot open '%s': not a ZFS filesystem", name)
		}
		name = pool
	}
	if _, err := os.Lstat(p.file(name)); err != nil {
		return fmt.Errorf("cannot open '%s': dataset does not exist", name)
	}
	return filepath.WalkDir(p.file(name), func(path string, e fs.DirEntry, err error) error {
		this := strings.TrimPrefix(path, p.dir+"/")
		switch {
		case os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		case l.kind == "" || (l.kind == "filesystem") == e.IsDir():
			if text, err := p.describe(this, l.columns); err == nil {
				fmt.Println(text)
			} else if !os.IsNotExist(err) {
				return err
			}
		}
		if e.IsDir() && !l.deep {
			return fs.SkipDir
		}
		return nil
	})
}

// describe is the columns of a dataset.
func (p *Pool) describe(name, columns string) (string, error) {
	var s unix.Stat_t
	if err := unix.Lstat(p.file(name), &s); err != nil {
		return "", err
	}
	free, err := p.free()
	if err != nil {
		return "", err
	}
	var of unix.Statfs_t
	if err := unix.Statfs(p.dir, &of); err != nil {
		return "", err
	}
	encryption := "off"
	if p.encrypted != "" && strings.HasPrefix(name, p.encrypted) {
		encryption = "aes-256-gcm"
	}
	value := map[string]string{"name": name, "volsize": "-", "encryption": encryption,
		"referenced": strconv.FormatInt(s.Blocks*512, 10),
		"used":       strconv.FormatInt(s.Blocks*512, 10),
		"available":  strconv.FormatInt(free, 10)}
	if s.Mode&unix.S_IFMT == unix.S_IFREG {
		value["volsize"] = strconv.FormatInt(s.Size, 10)
	}
	if name == pool {
		value["used"] = strconv.FormatInt(int64(of.Blocks)*of.Bsize-free, 10)
	}
	var out []string
	for column := range strings.SplitSeq(columns, ",") {
		out = append(out, value[column])
	}
	return strings.Join(out, "\t"), nil
}
