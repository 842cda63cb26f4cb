package guest

import (
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ecoCommand is the variable by which an EVE application replaces its image's command.
const ecoCommand = "EVE_ECO_CMD"

// noPowerOff is the variable that keeps an EVE guest up when its payload has ended.
const noPowerOff = "EVE_CONTAINER_NO_POWEROFF"

// defaultPath is the search path of images that set none.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// errNoCommand says that neither the image nor the user names a command.
var errNoCommand = errors.New("image has neither entrypoint nor command")

// Image is a container image: its configuration and its layers, the lowest first.
type Image struct {
	// Config is the image's configuration.
	Config v1.Config
	// Layers open the layers, packed or not, the lowest first.
	Layers []func() (io.ReadCloser, error)
}

// FromV1 returns the image that go-containerregistry has pulled, read from a layout or made.
func FromV1(from v1.Image) (Image, error) {
	config, err := from.ConfigFile()
	if err != nil {
		return Image{}, fmt.Errorf("read image config: %w", err)
	}
	layers, err := from.Layers()
	if err != nil {
		return Image{}, fmt.Errorf("read image layers: %w", err)
	}
	image := Image{Config: config.Config}
	for _, layer := range layers {
		image.Layers = append(image.Layers, layer.Compressed)
	}
	return image, nil
}

// Tree merges the image's layers. Contents go to a file in dir.
func (i Image) Tree(dir string) (*Tree, error) {
	tree, err := NewTree(dir)
	if err != nil {
		return nil, err
	}
	for n, open := range i.Layers {
		layer, err := open()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open layer %d: %w", n+1, err), tree.Close())
		}
		err = tree.Add(layer)
		if err := errors.Join(err, layer.Close()); err != nil {
			return nil, errors.Join(err, tree.Close())
		}
	}
	return tree, nil
}

// command returns what to run: entrypoint and command, unless the environment replaces them.
func (i Image) command(env []string) ([]string, error) {
	if replaced, ok := lookup(env, ecoCommand); ok {
		return split(replaced)
	}
	args := append(append([]string{}, i.Config.Entrypoint...), i.Config.Cmd...)
	if len(args) == 0 {
		return nil, errNoCommand
	}
	return args, nil
}

// environment returns the image's environment with the user's after it; where both name a
// variable the user's value stands in the image's place.
func (i Image) environment(user []string) []string {
	var env []string
	place := map[string]int{}
	for _, pair := range append(append([]string{}, i.Config.Env...), user...) {
		key, _, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			continue
		}
		if at, ok := place[key]; ok {
			env[at] = pair
			continue
		}
		place[key] = len(env)
		env = append(env, pair)
	}
	if _, ok := place["PATH"]; !ok {
		env = append(env, defaultPath)
	}
	return env
}

func lookup(env []string, key string) (string, bool) {
	value, found := "", false
	for _, pair := range env {
		if after, ok := strings.CutPrefix(pair, key+"="); ok {
			value, found = after, true
		}
	}
	return value, found
}

// split takes a command line apart as a shell does with quotes and backslashes, and nothing else.
func split(line string) ([]string, error) {
	var args []string
	var word strings.Builder
	quote, open := rune(0), false
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if open {
				args = append(args, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("command %q ends within a quote", line)
	}
	if open {
		args = append(args, word.String())
	}
	if len(args) == 0 {
		return nil, errNoCommand
	}
	return args, nil
}
