package check

// Rules are the rules that every device is held to, by subject.
func Rules() []Rule {
	return []Rule{
		oneGuest(), volumeUnderGuest(), haltAsked(), removalAsked(),
		oneAddress(), oneNumber(), oneAdapter(), oneWriter(),
		appStates(), haltedIsOff(), domainStates(), verifyOnce(), verifiedOnly(), purgeKeeps(),
		survives(), oneRun(), countersForward(), keepsWorking(), bounded(), budget(),
		infoArrives(), converges(), guestNumber(), keepsReporting(), reconnects(), restsAtLast(),
	}
}
