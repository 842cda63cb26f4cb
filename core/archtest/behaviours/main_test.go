package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun reads two canned runs, one of them with a failure.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		full := filepath.Join(dir, name)
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	good := write("good", `{"Action":"pass","Package":"`+module+`/core/a","Test":"TestAPI1_X"}`+"\n")
	bad := write("bad", `{"Action":"fail","Package":"`+module+`/backends/linux/nic",`+
		`"Test":"TestNET1_X"}`+"\n")

	var out, errs strings.Builder
	ok, err := run([]string{good}, "", "", &out, &errs)
	if err != nil || !ok {
		t.Fatalf("good run: %v, %v, %s", ok, err, &errs)
	}
	if !strings.HasSuffix(out.String(),
		"\n1 of 213 behaviours proven, 0 of them on real parts\n") {
		t.Errorf("ends in %s", out.String()[out.Len()-80:])
	}
	ok, err = run([]string{good, bad}, "", "", &out, &errs)
	if err != nil || ok || errs.String() != "failed: backends/linux/nic.TestNET1_X\n" {
		t.Errorf("bad run: %v, %v, %q", ok, err, errs.String())
	}
	if _, err := run([]string{filepath.Join(dir, "none")}, "", "", &out, &errs); err == nil {
		t.Error("a missing file was read")
	}
}
