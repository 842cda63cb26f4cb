package led

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// light is what can be turned on and off.
type light interface {
	// take makes it ours.
	take() error
	// turn turns it on or off.
	turn(on bool) error
	// begin tells of a pattern that begins.
	begin(blinks int) error
	// leave gives it back.
	leave() error
}

// lamp is a light of the kernel, by its folder.
type lamp struct {
	dir     string
	trigger string // that it was found with
	full    string // the most that brightness takes
}

// find finds the light of a name below a folder, or the first one that there is; nil for none.
func find(dir, name string) (*lamp, error) {
	if name != "" {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(filepath.Join(path, "brightness")); err != nil {
			return nil, fmt.Errorf("find the light %s: %w", name, err)
		}
		return &lamp{dir: path}, nil
	}
	all, err := filepath.Glob(filepath.Join(dir, "*", "brightness"))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &lamp{dir: filepath.Dir(all[0])}, nil
}

func (l *lamp) take() error {
	text, err := os.ReadFile(filepath.Join(l.dir, "trigger"))
	if err != nil {
		return fmt.Errorf("take the light: %w", err)
	}
	l.trigger = chosen(string(text))
	l.full = "1"
	if most, err := os.ReadFile(filepath.Join(l.dir, "max_brightness")); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(most))); err == nil && n > 0 {
			l.full = strconv.Itoa(n)
		}
	}
	return l.write("trigger", "none")
}

// chosen is the trigger in brackets, "none" if no one is.
func chosen(list string) string {
	_, rest, ok := strings.Cut(list, "[")
	name, _, closed := strings.Cut(rest, "]")
	if !ok || !closed {
		return "none"
	}
	return name
}

func (l *lamp) turn(on bool) error {
	if on {
		return l.write("brightness", l.full)
	}
	return l.write("brightness", "0")
}

func (l *lamp) begin(int) error { return nil }

func (l *lamp) leave() error {
	if err := l.turn(false); err != nil {
		return err
	}
	if l.trigger == "" || l.trigger == "none" {
		return nil
	}
	return l.write("trigger", l.trigger)
}

// write writes a file of sysfs, which is never made.
func (l *lamp) write(name, text string) error {
	f, err := os.OpenFile(filepath.Join(l.dir, name), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("turn the light: %w", err)
	}
	_, err = f.WriteString(text)
	if bad := f.Close(); err == nil {
		err = bad
	}
	if err != nil {
		return fmt.Errorf("turn the light: %w", err)
	}
	return nil
}

// console stands for a light on a machine without one: it tells of each pattern once.
type console struct{ w io.Writer }

func (c console) take() error     { return nil }
func (c console) turn(bool) error { return nil }
func (c console) leave() error    { return nil }

func (c console) begin(blinks int) error {
	if _, err := fmt.Fprintf(c.w, "light: %d blinks\n", blinks); err != nil {
		return fmt.Errorf("write to the console: %w", err)
	}
	return nil
}

var (
	_ light = (*lamp)(nil)
	_ light = console{}
)
