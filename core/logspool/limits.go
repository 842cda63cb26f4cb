package logspool

import "time"

// Limits are those of a spool.
type Limits struct {
	// Roll is how many bytes a file has at most, but for a single line that is longer; Age is how long
	// it takes lines.
	Roll int64
	Age  time.Duration
	// Quota is how many bytes all files have together, Count how many they are.
	Quota int64
	Count int
	// Sync is after how many entries a file is made durable.
	Sync int
}

// EVE's limits.
const (
	rollBytes    = 550_000
	rollAge      = 300 * time.Second
	quotaBytes   = 2048 << 20
	perFile      = 50_000 // of the quota: a file that is not full counts as so much
	syncEntries  = 30
	persistParts = 10 // of these the spool has one
)

// LimitsFor are EVE's limits for a disk of so many bytes: 2 GiB, and no more than the tenth part of
// it. Of a small disk a file is a part, too.
func LimitsFor(disk int64) Limits {
	quota := min(int64(quotaBytes), disk/persistParts)
	return Limits{Roll: min(rollBytes, quota/4), Age: rollAge, Quota: quota,
		Count: int(max(quota/perFile, 4)), Sync: syncEntries}
}
