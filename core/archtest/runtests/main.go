// Command runtests runs go test and prints what go test prints, then which tests were left out and
// why: go test alone says nothing of skipped tests. With -record it also keeps the record that the
// command behaviours reads.
//
//	runtests [-record FILE] [go test flags] packages
//
// The exit status is that of go test.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	record, args, err := parse(os.Args[1:])
	if err == nil {
		err = run(record, args, os.Stdout, os.Stderr)
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		os.Exit(max(exit.ExitCode(), 1))
	case err != nil:
		fmt.Fprintln(os.Stderr, "runtests:", err)
		os.Exit(2)
	}
}

// parse takes the option off the arguments of go test.
func parse(args []string) (record string, rest []string, err error) {
	if len(args) > 1 && args[0] == "-record" {
		record, args = args[1], args[2:]
	}
	if len(args) == 0 {
		return "", nil, errors.New("usage: runtests [-record FILE] [go test flags] packages")
	}
	return record, args, nil
}

// run runs go test once.
func run(record string, args []string, out, errs io.Writer) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = errs
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run go test: %w", err)
	}
	var lines io.Reader = pipe
	if record != "" {
		file, err := os.OpenFile(record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("record tests: %w", err)
		}
		defer file.Close()
		lines = io.TeeReader(pipe, file)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run go test: %w", err)
	}
	p := newPrinter(out)
	if err := p.read(lines); err != nil {
		return errors.Join(err, cmd.Wait())
	}
	p.end()
	return cmd.Wait()
}
