package conform

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
)

const webHello = "hello, world\n"

func (x *webBench) hello(t *testing.T) {
	res := x.says(t, get("http://good.example/hello"), webHello)
	if res.WithTLS || res.Get("Content-Type") != "text/plain" || res.Kept != nil {
		t.Errorf("%+v", res)
	}
}

func (x *webBench) echo(t *testing.T) {
	q := get("http://good.example/echo/a?b=c")
	q.Method, q.Body = "POST", []byte("a body")
	q.Header = []web.Header{{Name: "x-conform", Value: "1"}, {Name: "X-Conform", Value: "2"}}
	res := x.says(t, q, `POST /echo/a "a body" "" 1,2`)
	sorted := slices.IsSortedFunc(res.Header, func(a, b web.Header) int {
		return strings.Compare(a.Name, b.Name)
	})
	if res.Get("X-Remote") != webSource || !sorted {
		t.Errorf("headers %+v", res.Header)
	}
}

func (x *webBench) codes(t *testing.T) {
	if res := x.answers(t, get("http://good.example/teapot"), 418); string(res.Body) !=
		"short and stout" {
		t.Errorf("%+v", res)
	}
	x.answers(t, get("http://good.example/nothing-there"), 404)
	for _, path := range []string{"none", "hello"} {
		q := get("http://good.example/" + path)
		if path == "hello" {
			q.Method = "HEAD"
		}
		if res := x.send.does(t, q, nil); len(res.Body) != 0 || res.Code/100 != 2 {
			t.Errorf("%s %s: %+v", q.Method, q.URL, res)
		}
	}
}

func (x *webBench) moved(t *testing.T) {
	res := x.answers(t, get("http://good.example/moved/hello"), http.StatusFound)
	if res.Get("Location") != "/hello" {
		t.Errorf("%+v", res)
	}
}

func (x *webBench) chunked(t *testing.T) {
	x.says(t, get("http://good.example/chunked"), strings.Repeat("abc", 50_000))
}

func (x *webBench) slow(t *testing.T) {
	if res := x.says(t, get("http://good.example/slow"), webHello); res.Took <
		400*time.Millisecond || res.Took > 2*time.Second {
		t.Errorf("took %v", res.Took)
	}
}

func (x *webBench) hang(t *testing.T) {
	q := get("http://good.example/hang")
	q.Timeout = 500 * time.Millisecond
	x.refuses(t, q, web.FaultTimeout, 2*time.Second)
}

func (x *webBench) large(t *testing.T) {
	q := get("http://good.example/large")
	q.MaxBody = 1 << 20
	x.answers(t, q, 200)
	q.MaxBody--
	x.send.refuses(t, q, web.FaultTooLarge, false)
}

func (x *webBench) short(t *testing.T) {
	x.refuses(t, get("http://good.example/short"), web.FaultReset, 2*time.Second)
	x.refuses(t, get("http://good.example/reset"), web.FaultReset, 2*time.Second)
}

func (x *webBench) cancelSend(t *testing.T) {
	got := x.send.cancels(t, get("http://good.example/hang"), get("http://good.example/hello"),
		nil, nil)
	if got.Phase != agent.Done || string(got.Res.Body) != webHello {
		t.Errorf("behind a cancelled one: %+v", got)
	}
}

func (x *webBench) together(t *testing.T) {
	done := make(chan struct{})
	began := time.Now()
	x.ask(func() {
		left := 8
		for i := range left {
			key := fmt.Sprint("call", i)
			x.send.use.Want(key, get(fmt.Sprint("http://good.example/slow/", i)))
			x.send.wait[key] = func(c agent.Call[web.SendRes]) {
				if c.Phase != agent.Done || string(c.Res.Body) != webHello {
					t.Errorf("%s: %+v %+v", key, c, c.Fault)
				}
				if left--; left == 0 {
					close(done)
				}
			}
		}
	})
	await(t, "eight answers", done)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("eight exchanges of 0.4 s took %v", took)
	}
}

// keptConfig asks for a configuration and remembers what stands in place of its secrets.
func (x *webBench) keptConfig(t *testing.T) {
	q := get("http://good.example/config")
	q.Keep = web.KeepConfig
	res := x.answers(t, q, 200)
	x.refs = referencesOf(t, res.Body)
	if res.Kept == nil || res.Received() == 0 || strings.Contains(string(res.Body), "sesame") ||
		res.Get("Set-Cookie") != "" {
		t.Errorf("%+v", res)
	}
	q.URL = "http://good.example/teapot"
	if res := x.answers(t, q, 418); len(res.Body) != 0 || res.Kept == nil {
		t.Errorf("an answer that is no configuration: %+v", res)
	}
}

func (x *webBench) loginByReference(t *testing.T) {
	q := get("http://good.example/echo")
	q.Login = web.Login{User: x.refs.user, Secret: x.refs.password}
	x.says(t, q, `GET /echo "" "Basic YWxpY2U6c2VzYW1l" `)
	q.Login.Auth = web.AuthScheme
	x.says(t, q, `GET /echo "" "alice sesame" `)
}

func (x *webBench) proxyByReference(t *testing.T) {
	q := get("http://good.example/hello")
	q.Via.Proxy = x.refs.proxy
	x.says(t, q, webHello)
}

func (x *webBench) keptToken(t *testing.T) {
	q := get("http://good.example/token")
	q.Keep = web.KeepToken
	res := x.answers(t, q, 200)
	if strings.Contains(string(res.Body), "t0ken") || res.Kept == nil || res.Kept.Token == "" {
		t.Fatalf("%+v", res)
	}
	x.refs.token = res.Kept.Token
	q = get("http://good.example/echo")
	q.Login = web.Login{Auth: web.AuthBearer, Secret: x.refs.token}
	x.says(t, q, `GET /echo "" "Bearer t0ken" `)
}

func (x *webBench) unknownReference(t *testing.T) {
	q := get("http://good.example/echo")
	q.Login = web.Login{Secret: "config:1:password:ffff"}
	x.refuses(t, q, web.FaultSecret, time.Second)
}

func (x *webBench) forgotten(t *testing.T) {
	x.cycle(t)
	x.booted(t)
	q := get("http://good.example/echo")
	q.Login = web.Login{Auth: web.AuthBearer, Secret: x.refs.token}
	x.refuses(t, q, web.FaultSecret, time.Second)
	x.says(t, get("http://good.example/hello"), webHello)
}
