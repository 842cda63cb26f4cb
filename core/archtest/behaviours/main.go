// Command behaviours says which of the numbered behaviours are proven on this commit, by which
// tests and where. It runs go test -json over the whole tree, or reads the output of such runs from
// the files named as arguments.
//
// The last line is "N of 213 behaviours proven, M of them on real parts". The exit status is 1 if a
// test failed or a name claims what it may not.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/evetwin/evetwin/core/archtest/proof"
)

const module = "github.com/evetwin/evetwin"

func main() {
	packages := flag.String("packages", "./...", "packages to test when no file is given")
	timeout := flag.String("timeout", "15m", "time limit of one package")
	flag.Parse()
	ok, err := run(flag.Args(), *packages, *timeout, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "behaviours:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run prints the report and says whether all tests passed and all names are right.
func run(files []string, packages, timeout string, out, errs io.Writer) (bool, error) {
	tally := proof.NewTally(module)
	var err error
	if len(files) > 0 {
		err = readFiles(tally, files)
	} else {
		err = runTests(tally, packages, timeout, errs)
	}
	if err != nil {
		return false, err
	}
	bad := tally.Errors()
	for _, name := range tally.Failed() {
		bad = append(bad, "failed: "+name)
	}
	for _, line := range bad {
		fmt.Fprintln(errs, line)
	}
	fmt.Fprintln(out, "commit", commit())
	return len(bad) == 0, tally.Write(out)
}

// readFiles takes in the output of runs that are over.
func readFiles(tally *proof.Tally, files []string) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("read test output: %w", err)
		}
		err = tally.Read(f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// runTests runs the tests and takes in their output. That some fail shows in the tally.
func runTests(tally *proof.Tally, packages, timeout string, errs io.Writer) error {
	cmd := exec.Command("go", "test", "-json", "-timeout", timeout, packages)
	cmd.Stderr = errs
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run go test: %w", err)
	}
	if err := tally.Read(pipe); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil && len(tally.Failed()) == 0 {
		return fmt.Errorf("run go test: %w", err)
	}
	return nil
}

// commit names what was tested.
func commit() string {
	head, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	status, err := exec.Command("git", "status", "--porcelain").Output()
	if err != nil || len(status) > 0 {
		return strings.TrimSpace(string(head)) + " with uncommitted changes"
	}
	return strings.TrimSpace(string(head))
}
