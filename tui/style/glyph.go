package style

// Glyphs are the signs a theme draws with; each is one column wide.
type Glyphs struct {
	On, Off, Part, Cross, Warn  string // states: full, empty, half, broken, careful
	Pointer                     string // before the selected line
	Ellipsis                    string // where text was cut
	Up, Down                    string // more above, more below
	Full, Empty                 string // of bars
	Eighths                     []string
	Spark                       []string // lowest first
	H, V, NW, NE, SW, SE, VR, L string   // lines of boxes; VR joins to the right, L to the left
	Sep                         string   // between words of a line
	Plain7                      bool     // nothing but ASCII may be written
}

// Unicode is for terminals with good fonts.
func Unicode() Glyphs {
	return Glyphs{On: "●", Off: "○", Part: "◐", Cross: "✗", Warn: "▲", Pointer: "▸", Ellipsis: "…",
		Up: "▴", Down: "▾", Full: "█", Empty: "░",
		Eighths: []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉"},
		Spark:   []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
		H:       "─", V: "│", NW: "╭", NE: "╮", SW: "╰", SE: "╯", VR: "├", L: "┤", Sep: "·"}
}

// Console is for the console of a Linux machine, whose font has 256 signs.
func Console() Glyphs {
	g := Unicode()
	g.On, g.Off, g.Part, g.Cross, g.Warn = "•", "o", "•", "x", "!"
	g.Pointer, g.Ellipsis, g.Up, g.Down = ">", "~", "^", "v"
	g.Eighths = []string{"▌"}
	g.Spark = []string{"_", "▄", "█"}
	g.NW, g.NE, g.SW, g.SE = "┌", "┐", "└", "┘"
	return g
}

// ASCII is for terminals that do not speak UTF-8.
func ASCII() Glyphs {
	return Glyphs{On: "*", Off: "o", Part: "+", Cross: "x", Warn: "!", Pointer: ">", Ellipsis: "~",
		Up: "^", Down: "v", Full: "#", Empty: ".", Spark: []string{"_", ".", "-", "=", "#"},
		H: "-", V: "|", NW: "+", NE: "+", SW: "+", SE: "+", VR: "+", L: "+", Sep: "-",
		Plain7: true}
}
