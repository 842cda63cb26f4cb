package downloader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/entity"
)

// trouble is the error of a job: what went wrong on each route, and when it is tried again. While
// it is tried again the error of the last time stands.
func trouble(j *job, before string) entity.ErrorDescription {
	text := join(j, before)
	if text == "" {
		return entity.ErrorDescription{}
	}
	d := entity.ErrorDescription{Error: text, ErrorSeverity: j.Severity}
	switch {
	case j.Step == stepPick && j.RetryAt > 0:
		d.ErrorRetryCondition = fmt.Sprintf("Will retry in %s; have retried %d times", j.Delay,
			j.Count)
	case j.Step == stepPick:
		d.ErrorRetryCondition = "Will retry when ports, datastores or settings change"
	default:
		d.ErrorRetryCondition = fmt.Sprintf("Retrying; attempt %d", j.Count)
	}
	return d
}

// join is the text of a job's error: while it waits, its own; while it tries again, the one before.
func join(j *job, before string) string {
	switch {
	case j.Step == stepPick:
		list := slices.Concat(j.Errors, j.Problems)
		return strings.Join(list, "\n")
	case j.Step == stepDone || j.Count == 0:
		return ""
	}
	return before
}

func permanent(text string) entity.ErrorDescription { return entity.ErrorDescription{Error: text} }
