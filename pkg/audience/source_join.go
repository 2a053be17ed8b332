package audience

// JoinStatus is how a source fares that several instances hear from: the counts
// of all, and the state of the first.
func JoinStatus(all []SourceStatus) SourceStatus {
	out := all[0]
	for _, s := range all[1:] {
		out.Posts += s.Posts
		out.PerMinute += s.PerMinute
		out.Malformed += s.Malformed
		out.Lost += s.Lost
		out.Unsampled += s.Unsampled
		if s.LastPostAt > out.LastPostAt {
			out.LastPostAt, out.LagMillis = s.LastPostAt, s.LagMillis
		}
		if out.Budget != nil && s.Budget != nil {
			b := *out.Budget
			b.Posts, b.Units, b.Money = joinLine(b.Posts, s.Budget.Posts), joinLine(b.Units, s.Budget.Units), joinLine(b.Money, s.Budget.Money)
			b.Warned = b.Warned || s.Budget.Warned
			b.SampleRate = min(b.SampleRate, s.Budget.SampleRate)
			out.Budget = &b
		}
	}
	return out
}

func joinLine(a, b *BudgetLine) *BudgetLine {
	if a == nil || b == nil {
		return a
	}
	return &BudgetLine{Spent: a.Spent + b.Spent, Of: a.Of}
}
