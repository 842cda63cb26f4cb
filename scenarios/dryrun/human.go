package dryrun

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes the report for people, but for Error, which belongs to where errors go.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	verdict := "settled"
	switch {
	case !r.Onboarded:
		verdict = "NOT ONBOARDED"
	case !r.Settled:
		verdict = "NOT SETTLED"
	}
	fmt.Fprintf(&b, "%s after %s of device time", verdict, seconds(r.VirtualS))
	if r.Arch == "arm64" {
		b.WriteString(" on arm64")
	}
	fmt.Fprintf(&b, "%s\n", r.counts())
	r.printNetwork(&b)
	r.printApps(&b)
	r.printErrors(&b)
	list(&b, "Made up: content that the datastores were asked for and do not exist here", r.MadeUp)
	list(&b, "Fields that are not used: the API does not have them", r.UnknownFields)
	list(&b, "Notes", r.Notes)
	_, err := io.WriteString(w, b.String())
	return err
}

// counts tells how many texts of errors there are, by severity.
func (r *Report) counts() string {
	n := map[string]int{}
	seen := map[string]bool{}
	for _, e := range r.Errors {
		if !seen[e.Text] {
			seen[e.Text] = true
			n[e.Severity]++
		}
	}
	var parts []string
	for _, severity := range []string{"error", "warning", "notice"} {
		switch c := n[severity]; c {
		case 0:
		case 1:
			parts = append(parts, "1 "+severity)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", c, severity))
		}
	}
	if len(parts) == 0 {
		return ", without errors"
	}
	return ", " + strings.Join(parts, ", ")
}

func seconds(s float64) string {
	if s < 120 {
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%d min %02d s", int(s)/60, int(s)%60)
}

// table prints rows below a title, if there are any. An error stands on a line of its own below its
// row.
func table(b *strings.Builder, title string, heads []string, rows [][]string, errs []string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  %s\n", strings.Join(heads, "\t"))
	for _, r := range rows {
		for i := range r {
			r[i] = oneLine(r[i])
			if r[i] == "" {
				r[i] = "-"
			}
		}
		fmt.Fprintf(t, "  %s\n", strings.Join(r, "\t"))
	}
	_ = t.Flush() // into memory: it does not fail
	for i, line := range strings.Split(strings.TrimRight(text.String(), "\n"), "\n") {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if i > 0 && errs[i-1] != "" {
			for _, part := range strings.Split(errs[i-1], "\n") {
				fmt.Fprintf(b, "      ! %s\n", oneLine(part))
			}
		}
	}
}

func (r *Report) printNetwork(b *strings.Builder) {
	var rows [][]string
	var errs []string
	for _, p := range r.Ports {
		use, up := "apps", "down"
		if p.Mgmt {
			use = "mgmt"
		}
		if p.Up {
			up = "up"
		}
		rows = append(rows, []string{p.Label, p.Interface, up, use, strings.Join(p.Addresses, " "),
			strings.Join(p.DNS, " ")})
		errs = append(errs, p.Error)
	}
	table(b, "Ports", []string{"label", "interface", "link", "use", "addresses", "name servers"}, rows,
		errs)
	rows, errs = nil, nil
	for _, c := range r.PortConfigs {
		mark := ""
		if c.InUse {
			mark = "in use"
		}
		rows, errs = append(rows, []string{c.Key, c.State, mark}), append(errs, c.Error)
	}
	table(b, "Port configurations", []string{"key", "state", ""}, rows, errs)
	rows, errs = nil, nil
	for _, n := range r.NetworkInstances {
		rows, errs = append(rows, []string{n.Name, n.Type, n.State}), append(errs, n.Error)
	}
	table(b, "Network instances", []string{"name", "type", "state"}, rows, errs)
}

func (r *Report) printApps(b *strings.Builder) {
	var rows [][]string
	var errs []string
	for _, c := range r.Content {
		rows = append(rows, []string{c.Name, c.State, fmt.Sprintf("%d %%", c.Progress)})
		errs = append(errs, c.Error)
	}
	table(b, "Content trees", []string{"name", "state", "progress"}, rows, errs)
	rows, errs = nil, nil
	for _, v := range r.Volumes {
		rows = append(rows, []string{v.Name, v.State, fmt.Sprintf("%d %%", v.Progress)})
		errs = append(errs, v.Error)
	}
	table(b, "Volumes", []string{"name", "state", "progress"}, rows, errs)
	rows, errs = nil, nil
	for _, a := range r.Applications {
		rows = append(rows, []string{a.Name, a.State, strings.Join(a.Addresses, " ")})
		errs = append(errs, a.Error)
	}
	table(b, "Applications", []string{"name", "state", "addresses"}, rows, errs)
}

// printErrors prints each text once with all who show it.
func (r *Report) printErrors(b *strings.Builder) {
	if len(r.Errors) == 0 {
		return
	}
	b.WriteString("\nErrors\n")
	printed := map[string]bool{}
	for i, e := range r.Errors {
		if printed[e.Text] {
			continue
		}
		printed[e.Text] = true
		var who []string
		for _, o := range r.Errors[i:] {
			if o.Text == e.Text {
				who = append(who, oneLine(o.Object+" ("+o.Agent+")"))
			}
		}
		for n, part := range strings.Split(e.Text, "\n") {
			if n == 0 {
				part = e.Severity + ": " + part
			}
			fmt.Fprintf(b, "  %s\n", oneLine(part))
		}
		if e.Retry != "" {
			fmt.Fprintf(b, "      retry: %s\n", oneLine(e.Retry))
		}
		fmt.Fprintf(b, "      shown by %s\n", strings.Join(who, ", "))
	}
}

func list(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, i := range items {
		fmt.Fprintf(b, "  %s\n", oneLine(i))
	}
}
