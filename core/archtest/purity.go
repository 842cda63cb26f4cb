package archtest

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// pureTrees are the folders whose code is pure: same input, same output, nothing outside touched.
var pureTrees = []string{"core", "controllersim/fleet", "backends/sim/world"}

// purePackages are pure without the folders below them.
var purePackages = []string{"controllersim"}

// impureTrees are the exceptions inside.
var impureTrees = []string{"core/host/live", "core/archtest"}

// bannedImports are packages that pure code does not import, and why.
var bannedImports = map[string]string{
	"crypto/rand":   "randomness is drawn from the turn",
	"hash/maphash":  "its seed differs per process",
	"log":           "lines go through the turn",
	"log/slog":      "lines go through the turn",
	"os":            "pure code has no operating system",
	"os/exec":       "pure code has no operating system",
	"os/signal":     "pure code has no operating system",
	"os/user":       "pure code has no operating system",
	"sync":          "there is one goroutine",
	"sync/atomic":   "there is one goroutine",
	"syscall":       "pure code has no operating system",
	"runtime/debug": "pure code has no process",
	"google.golang.org/protobuf/encoding/protojson": "its spacing is unstable on purpose",
	"google.golang.org/protobuf/encoding/prototext": "its spacing is unstable on purpose",
}

// bannedNames are names of importable packages that pure code does not use.
var bannedNames = map[string][]string{
	"time": {"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker",
		"Sleep", "Local"},
	"context": {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause",
		"AfterFunc"},
	"net": {"Dial", "DialTimeout", "DialIP", "DialTCP", "DialUDP", "DialUnix", "Dialer", "Listen",
		"ListenConfig", "ListenPacket", "ListenTCP", "ListenUDP", "ListenUnix", "Resolver",
		"DefaultResolver", "LookupAddr", "LookupHost", "LookupIP", "LookupCNAME", "LookupPort",
		"LookupMX", "LookupNS", "LookupSRV", "LookupTXT", "Interfaces", "InterfaceAddrs",
		"InterfaceByIndex", "InterfaceByName", "Pipe"},
	"net/http": {"Get", "Head", "Post", "PostForm", "Client", "DefaultClient", "Transport",
		"DefaultTransport", "DefaultServeMux", "Handle", "HandleFunc", "Server", "Serve",
		"ServeTLS", "ListenAndServe", "ListenAndServeTLS"},
	"crypto/tls":     {"Dial", "DialWithDialer", "Dialer", "Listen"},
	"crypto/ecdsa":   {"GenerateKey"},
	"crypto/rsa":     {"GenerateKey", "GenerateMultiPrimeKey"},
	"crypto/ed25519": {"GenerateKey"},
	"github.com/google/uuid": {"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7",
		"Must"},
	"google.golang.org/protobuf/proto": {"Marshal"},
	"runtime": {"GOMAXPROCS", "Gosched", "NumCPU", "NumGoroutine", "Caller", "Callers", "Stack",
		"GC", "ReadMemStats", "SetFinalizer", "AddCleanup"},
}

// seededRand are the names of math/rand and math/rand/v2 that take their source as an argument.
var seededRand = []string{"ChaCha8", "New", "NewChaCha8", "NewPCG", "NewSource", "NewZipf", "PCG",
	"Rand", "Source", "Source64", "Zipf"}

// isPure reports whether the code of a package is pure.
func isPure(dir string) bool {
	in := func(tree string) bool { return under(dir, tree) }
	return (slices.ContainsFunc(pureTrees, in) || slices.Contains(purePackages, dir)) &&
		!slices.ContainsFunc(impureTrees, in)
}

// pure accepts the files of pure code; generated ones are not excused.
func pure(f *File) bool { return !f.Test && isPure(f.pkg.Dir) }

// checkPurity finds what pure code may not use.
func checkPurity(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(pure) {
		names := importNames(f)
		for _, spec := range f.Syntax.Imports {
			p := importPath(spec)
			why, banned := bannedImports[p]
			if strings.HasPrefix(p, "golang.org/x/sys/") {
				why, banned = "pure code has no operating system", true
			}
			if banned {
				out = append(out, t.violation(spec.Pos(), "import of %s: %s", p, why))
			} else if spec.Name != nil && spec.Name.Name == "." {
				out = append(out, t.violation(spec.Pos(), "dot import of %s hides its names", p))
			}
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if what := impure(n, names); what != "" {
				out = append(out, t.violation(n.Pos(), "%s", what))
			}
			return true
		})
	}
	return out
}

// impure says what is wrong with a node, "" if nothing.
func impure(n ast.Node, names map[string]string) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go statement"
	case *ast.SelectStmt:
		return "select statement"
	case *ast.CompositeLit:
		if isName(n.Type, names, "google.golang.org/protobuf/proto", "MarshalOptions") &&
			!setsTrue(n, "Deterministic") {
			return "proto.MarshalOptions without Deterministic: true"
		}
	case *ast.SelectorExpr:
		p, ok := qualifier(n, names)
		if !ok {
			return ""
		}
		isRand := p == "math/rand" || p == "math/rand/v2"
		if slices.Contains(bannedNames[p], n.Sel.Name) ||
			isRand && !slices.Contains(seededRand, n.Sel.Name) {
			return "use of " + path.Base(strings.TrimSuffix(p, "/v2")) + "." + n.Sel.Name
		}
	}
	return ""
}

// importNames maps the names under which a file imports packages to their paths.
func importNames(f *File) map[string]string {
	names := map[string]string{}
	for _, spec := range f.Syntax.Imports {
		p := importPath(spec)
		name := path.Base(p)
		if isMajor(name) {
			name = path.Base(path.Dir(p))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	return names
}

// isMajor reports whether a path element is a major version: v2, v3 ...
func isMajor(s string) bool {
	digits, ok := strings.CutPrefix(s, "v")
	_, err := strconv.Atoi(digits)
	return ok && err == nil
}

// qualifier returns the path of the package that a selector picks a name of.
func qualifier(s *ast.SelectorExpr, names map[string]string) (string, bool) {
	id, ok := s.X.(*ast.Ident)
	if !ok || id.Obj != nil { // a local name of the same spelling
		return "", false
	}
	p, ok := names[id.Name]
	return p, ok
}

// isName reports whether an expression is the given name of the given package.
func isName(e ast.Expr, names map[string]string, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	p, ok := qualifier(s, names)
	return ok && p == pkg
}

// setsTrue reports whether a literal sets a field to true.
func setsTrue(lit *ast.CompositeLit, field string) bool {
	return slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		k, isIdent := kv.Key.(*ast.Ident)
		v, isConst := kv.Value.(*ast.Ident)
		return isIdent && isConst && k.Name == field && v.Name == "true"
	})
}
