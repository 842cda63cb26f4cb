package outward_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/sim/web/outward"
	device "github.com/evetwin/evetwin/core/device/web"
)

// A download that was cut right at its end, and one that has more than the server, both come to
// their end.
func TestADownloadThatHasAllOrMoreEnds(t *testing.T) {
	content := []byte("all there is")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(content))
	}))
	defer s.Close()
	for _, have := range []int64{0, 4, int64(len(content)), int64(len(content)) + 5} {
		h := outward.HTTP{Dial: map[string]string{"data.test": s.Listener.Addr().String()}}
		got := bytes.Repeat([]byte("x"), int(have))
		if int(have) <= len(content) {
			copy(got, content)
		}
		res, f := h.Fetch(t.Context(), &device.FetchReq{URL: "http://data.test/file"}, nil, have, `"v1"`,
			func(at int64, data []byte) { got = append(got[:at], data...) })
		if f != nil || res.Size != int64(len(content)) || !bytes.Equal(got, content) {
			t.Errorf("with %d bytes: %+v, %v, %q", have, res, f, got)
		}
	}
}
