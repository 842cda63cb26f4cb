package bridge

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// mostAsked bounds the names that wait for a collection, of a bridge; more are not noticed.
	mostAsked = 2000
	// longestLine bounds a line of dnsmasq; more of it is left out.
	longestLine = 2000
	// answering is how long to wait for the answer to a question.
	answering = 10 * time.Second
)

// lookups is what the guests of a bridge asked their dnsmasq for, as its log says.
type lookups struct {
	mu     sync.Mutex
	asked  []*question
	serial map[string]*question // by the numbers that dnsmasq gives
}

// question is a name that somebody asked for, once or several times, for addresses of any family.
type question struct {
	from     netip.Addr
	name     string
	addrs    []netip.Addr
	at       time.Time
	answered bool
}

// listen begins to take the log of a dnsmasq, which counts from 1.
func (l *lookups) listen() *lineWriter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial = map[string]*question{}
	return &lineWriter{line: l.line}
}

// lineWriter hands on lines.
type lineWriter struct {
	rest []byte
	line func(string)
}

// Write takes what a process says, in pieces of any size.
func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			if len(w.rest)+len(p) <= longestLine {
				w.rest = append(w.rest, p...)
			}
			return n, nil
		}
		w.line(string(append(w.rest, p[:end]...)))
		w.rest, p = nil, p[end+1:]
	}
}

// line understands
//
//	dnsmasq: 7 10.1.0.2/40000 query[A] example.com from 10.1.0.2
//	dnsmasq: 7 10.1.0.2/40000 reply example.com is 192.0.2.1
//
// where in the place of reply may be cached, config, or the name of a file.
func (l *lookups) line(text string) {
	f := strings.Fields(text)
	if len(f) < 6 || !strings.HasPrefix(f[0], "dnsmasq") || !strings.Contains(f[2], "/") {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case (f[3] == "query[A]" || f[3] == "query[AAAA]") && len(f) == 7 && f[5] == "from":
		from, err := netip.ParseAddr(f[6])
		if err == nil {
			l.ask(f[1], from.Unmap().WithZone(""), f[4])
		}
	case len(f) >= 7 && f[5] == "is":
		q := l.serial[f[1]]
		if q == nil {
			return
		}
		q.answered = true
		ip, err := netip.ParseAddr(f[6])
		if err == nil && !slices.Contains(q.addrs, ip) && len(q.addrs) < 100 {
			q.addrs = append(q.addrs, ip)
		}
	}
}

// ask notes a question.
func (l *lookups) ask(serial string, from netip.Addr, name string) {
	for _, q := range l.asked {
		if q.from == from && q.name == name {
			l.serial[serial] = q
			return
		}
	}
	if len(l.asked) >= mostAsked || len(l.serial) >= 4*mostAsked {
		return
	}
	q := &question{from: from, name: name, at: time.Now()}
	l.asked = append(l.asked, q)
	l.serial[serial] = q
}

// take returns what was answered, or will not be any more, in the order in which it was asked.
func (l *lookups) take(now time.Time) (out []question) {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = slices.DeleteFunc(l.asked, func(q *question) bool {
		if !q.answered && now.Sub(q.at) < answering {
			return false
		}
		slices.SortFunc(q.addrs, netip.Addr.Compare)
		out = append(out, *q)
		return true
	})
	for serial, q := range l.serial {
		if !slices.Contains(l.asked, q) {
			delete(l.serial, serial)
		}
	}
	return out
}
