// Package entity has what rows of all subjects share: identity, state of software, errors.
package entity

import (
	"strings"
	"time"
)

// Global is the key of a topic that has one row.
const Global = "global"

// UUIDandVersion is EVE's identity of a configured object. UUID is in canonical lower case.
type UUIDandVersion struct {
	UUID    string
	Version string
}

// SwState is how far an application, a volume or content is; the order of the numbers carries
// meaning.
type SwState uint8

// States of software, with EVE's numbers.
const (
	INITIAL SwState = iota + 100
	RESOLVING_TAG
	RESOLVED_TAG
	DOWNLOADING
	DOWNLOADED
	VERIFYING
	VERIFIED
	LOADING
	LOADED
	CREATING_VOLUME
	CREATED_VOLUME
	INSTALLED
	AWAITNETWORKINSTANCE
	START_DELAYED
	BOOTING
	RUNNING
	PAUSING
	PAUSED
	HALTING
	HALTED
	BROKEN
	UNKNOWN
	PENDING
	SCHEDULING
	FAILED
	REMOTELOADED
)

var stateNames = [...]string{"INITIAL", "RESOLVING_TAG", "RESOLVED_TAG", "DOWNLOADING",
	"DOWNLOADED", "VERIFYING", "VERIFIED", "LOADING", "LOADED", "CREATING_VOLUME",
	"CREATED_VOLUME", "INSTALLED", "AWAITNETWORKINSTANCE", "START_DELAYED", "BOOTING", "RUNNING",
	"PAUSING", "PAUSED", "HALTING", "HALTED", "BROKEN", "UNKNOWN", "PENDING", "SCHEDULING",
	"FAILED", "REMOTELOADED"}

// String is EVE's name of the state, "INVALID" for a number that has none.
func (s SwState) String() string {
	if s < INITIAL || s > REMOTELOADED {
		return "INVALID"
	}
	return stateNames[s-INITIAL]
}

// Severity of an error as the controller is told.
type Severity uint8

// Severities; 0 is treated as Error.
const (
	SeverityUnspecified Severity = iota
	SeverityNotice
	SeverityWarning
	SeverityError
)

// String is the severity in lower case.
func (s Severity) String() string {
	return [...]string{"error", "notice", "warning", "error"}[s&3]
}

// Kind is the type of entity an error is about, with EVE's numbers.
type Kind uint8

// Kinds of entities.
const (
	BaseOS Kind = iota + 1
	SystemAdapter
	Vault
	Attestation
	AppInstance
	Port
	Network
	NetworkInstance
	ContentTree
	ContentBlob
	Volume
)

// ErrorEntity names an object that an error is about.
type ErrorEntity struct {
	EntityType Kind
	EntityID   string
}

// ErrorDescription is an error as it is shown and reported. The zero value means no error.
type ErrorDescription struct {
	Error               string
	ErrorTime           time.Time // wall clock of its first occurrence; kept while it lasts
	ErrorSeverity       Severity
	ErrorRetryCondition string
	ErrorEntities       []ErrorEntity
}

// HasError reports whether there is one.
func (e *ErrorDescription) HasError() bool { return e.Error != "" }

// Set records an error. Severity 0 becomes Error. The time of an equal error is kept, so that a
// recompute puts an equal row.
func (e *ErrorDescription) Set(d ErrorDescription, now time.Time) {
	if d.Error == "" {
		*e = ErrorDescription{}
		return
	}
	if d.ErrorSeverity == SeverityUnspecified {
		d.ErrorSeverity = SeverityError
	}
	d.ErrorTime = now
	if e.Error == d.Error && !e.ErrorTime.IsZero() {
		d.ErrorTime = e.ErrorTime
	}
	*e = d
}

// ErrorAndTime is an error that a row carries.
type ErrorAndTime struct{ ErrorDescription }

// ErrorAndTimeWithSource is an error tagged with the type of row that caused it, so that a
// subsystem clears only its own.
type ErrorAndTimeWithSource struct {
	ErrorSourceType string
	ErrorDescription
}

// SetFrom records an error of a source; the source must be named.
func (e *ErrorAndTimeWithSource) SetFrom(source string, d ErrorDescription, now time.Time) {
	if source == "" {
		panic("entity: an error needs a source")
	}
	if d.Error == "" {
		e.ClearFrom(source)
		return
	}
	if e.ErrorSourceType != source {
		e.ErrorDescription = ErrorDescription{}
	}
	e.ErrorSourceType = source
	e.ErrorDescription.Set(d, now)
}

// ClearFrom removes the error if it is of that source.
func (e *ErrorAndTimeWithSource) ClearFrom(source string) {
	if e.ErrorSourceType == source {
		*e = ErrorAndTimeWithSource{}
	}
}

// Join makes one error of several: texts on a line each, the earliest time, the highest severity,
// one retry condition, all entities. An error without a retry condition raises the sum to Error.
func Join(list ...ErrorDescription) ErrorDescription {
	var out ErrorDescription
	var texts []string
	for _, d := range list {
		if d.Error == "" {
			continue
		}
		texts = append(texts, d.Error)
		if out.ErrorTime.IsZero() || d.ErrorTime.Before(out.ErrorTime) {
			out.ErrorTime = d.ErrorTime
		}
		sev := d.ErrorSeverity
		if sev == SeverityUnspecified {
			sev = SeverityError
		}
		out.ErrorSeverity = max(out.ErrorSeverity, sev)
		if out.ErrorRetryCondition == "" {
			out.ErrorRetryCondition = d.ErrorRetryCondition
		}
		out.ErrorEntities = append(out.ErrorEntities, d.ErrorEntities...)
	}
	out.Error = strings.Join(texts, "\n")
	return out
}

// Retried grades an error by how often and how long it was retried, as EVE does.
func Retried(tries int, since time.Duration) Severity {
	switch {
	case tries > 20 || since > 10*time.Hour:
		return SeverityError
	case tries > 10 || since > time.Hour:
		return SeverityWarning
	}
	return SeverityNotice
}
