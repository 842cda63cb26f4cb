package conform_test

// lacking is what a kernel cannot do that lacks a feature, or has it: cases need the one, or a
// kernel without it.
func lacking(feature, without string, lacks bool) func(need string) string {
	return func(need string) string {
		switch {
		case need == feature && lacks:
			return "this kernel has none"
		case need == without && !lacks:
			return "this kernel has them"
		}
		return ""
	}
}
