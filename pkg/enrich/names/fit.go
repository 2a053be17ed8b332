package names

import (
	"math"
	"slices"
)

const (
	rounds    = 400
	deviation = 1.96
)

// fitted is a mixture with the standard error of each share.
type fitted struct{ share, err []float64 }

// fit finds the mixture of cohorts under which the names are likeliest, a prior
// worth pull authors counted in (Dempster, Laird and Rubin 1977; maximum a
// posteriori with a Dirichlet prior).
func fit(rows []observed, prior []float64, pull float64) fitted {
	slices.SortFunc(rows, func(a, b observed) int { // the sum must not depend on map order
		if a.n != b.n {
			return int(b.n - a.n)
		}
		return slices.Compare(a.p, b.p)
	})
	share := slices.Clone(prior)
	next := make([]float64, len(prior))
	for range rounds {
		for k := range next {
			next[k] = pull * prior[k]
		}
		for _, r := range rows {
			mass := dot(share, r.p)
			for k := range next {
				next[k] += r.n * share[k] * r.p[k] / mass
			}
		}
		if step(share, next) < 1e-7 {
			break
		}
	}
	return fitted{share, errors(rows, share, prior, pull)}
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// step normalises next into share and returns the largest change.
func step(share, next []float64) (change float64) {
	var sum float64
	for _, v := range next {
		sum += v
	}
	for k := range share {
		v := next[k] / sum
		change = math.Max(change, math.Abs(v-share[k]))
		share[k] = v
	}
	return change
}

// errors are from the observed information of all shares but the last, whose
// error follows from the others'.
func errors(rows []observed, share, prior []float64, pull float64) []float64 {
	n := len(share) - 1
	info := make([][]float64, n)
	for i := range info {
		info[i] = make([]float64, n)
	}
	grad := make([]float64, n)
	for _, r := range rows {
		mass := dot(share, r.p)
		for i := range grad {
			grad[i] = (r.p[i] - r.p[n]) / mass
		}
		for i := range n {
			for j := range n {
				info[i][j] += r.n * grad[i] * grad[j]
			}
		}
	}
	for i := range n {
		for j := range n {
			info[i][j] += pull * prior[n] / math.Pow(math.Max(share[n], 1e-3), 2)
		}
		info[i][i] += pull * prior[i] / math.Pow(math.Max(share[i], 1e-3), 2)
	}
	cov := invert(info)
	out := make([]float64, n+1)
	for i := range n {
		out[i] = math.Sqrt(math.Max(cov[i][i], 0))
		for j := range n {
			out[n] += cov[i][j]
		}
	}
	out[n] = math.Sqrt(math.Max(out[n], 0))
	return out
}

// invert is Gauss–Jordan elimination with a little added to the diagonal.
func invert(m [][]float64) [][]float64 {
	n := len(m)
	inv := make([][]float64, n)
	for i := range inv {
		inv[i] = make([]float64, n)
		inv[i][i] = 1
		m[i][i] += 1e-6
	}
	for col := range n {
		pivot := col
		for r := col + 1; r < n; r++ {
			if math.Abs(m[r][col]) > math.Abs(m[pivot][col]) {
				pivot = r
			}
		}
		m[col], m[pivot] = m[pivot], m[col]
		inv[col], inv[pivot] = inv[pivot], inv[col]
		d := m[col][col]
		for j := range n {
			m[col][j] /= d
			inv[col][j] /= d
		}
		for r := range n {
			if f := m[r][col]; r != col && f != 0 {
				for j := range n {
					m[r][j] -= f * m[col][j]
					inv[r][j] -= f * inv[col][j]
				}
			}
		}
	}
	return inv
}

// shares adds labels and intervals; floor is what the registers themselves may
// be wrong by.
func shares(f fitted, labels []string, floor float64) []Share {
	out := make([]Share, len(labels))
	for i, l := range labels {
		wide := deviation*f.err[i] + floor
		out[i] = Share{l, f.share[i], math.Max(0, f.share[i]-wide), math.Min(1, f.share[i]+wide)}
	}
	return out
}
