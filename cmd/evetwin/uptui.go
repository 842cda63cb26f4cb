package main

import "context"

// showTUI shows the device of a run on the terminal until the user leaves, ctx ends or the device
// has stopped; an interrupt is no error. It is called once the device has been started, with no
// other output on the terminal. What it shows, it takes from u.live.
func showTUI(ctx context.Context, u *upRun) error {
	u.steps.speak()
	if err := u.goals(ctx); err != nil {
		return err
	}
	return u.stay(ctx)
}
