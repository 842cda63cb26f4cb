package check

// Rules are the rules that every device is held to, by subject.
func Rules() []Rule {
	return []Rule{}
}
