package zedmanager

import "github.com/evetwin/evetwin/core/topics/app"

// summarize counts applications by what they are at; each counts once, by the first that fits.
func (a *zedmanager) summarize() {
	var s app.AppInstanceSummary
	for id, st := range a.status.All() {
		cfg := a.configs.Get(id)
		wanted := cfg != nil && a.effective(cfg)
		switch {
		case st.HasError():
			s.TotalError++
		case wanted && st.Activated:
			s.TotalRunning++
		case st.Activated:
			s.TotalStopping++
		case wanted:
			s.TotalStarting++
		}
	}
	a.summary.Put(s)
}
