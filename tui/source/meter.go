package source

import (
	"time"

	"github.com/evetwin/evetwin/core/topics/content"
)

// Meter is how fast a download goes.
type Meter struct {
	// Rate is in bytes per second, smoothed.
	Rate float64
	// Past are the newest rates, oldest first, at most meterPast.
	Past  []float64
	bytes int64
	at    time.Time
}

const meterPast = 40

// Meter finds the meter of a download by its sha256, nil if there is none.
func (s *State) Meter(sha256 string) *Meter { return s.meters[sha256] }

// meterName is the name of the meter of a changed row, empty if it has none.
func meterName(c *Change) string {
	if c.Topic == content.DownloadStatuses.String() {
		return c.Key
	}
	return ""
}

// measure feeds the meter of a download.
func (s *State) measure(c *Change, at time.Time) {
	d, ok := c.Val.(*content.DownloaderStatus)
	if !ok {
		return
	}
	m := s.meters[d.ImageSha256]
	if m == nil || d.CurrentSize < m.bytes {
		s.meters[d.ImageSha256] = &Meter{bytes: d.CurrentSize, at: at}
		return
	}
	took := at.Sub(m.at).Seconds()
	if m.at.IsZero() || at.IsZero() || took <= 0 {
		m.bytes, m.at = d.CurrentSize, at
		return
	}
	if took < 0.2 {
		return // too short to tell; the bytes count with the next
	}
	now := float64(d.CurrentSize-m.bytes) / took
	if m.Rate == 0 {
		m.Rate = now
	}
	m.Rate = 0.6*m.Rate + 0.4*now
	m.Past = append(m.Past, now)
	if len(m.Past) > meterPast {
		m.Past = m.Past[1:]
	}
	m.bytes, m.at = d.CurrentSize, at
}
