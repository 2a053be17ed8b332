package names

import (
	"math"
	"slices"
)

const (
	rounds    = 60
	enough    = 1e-7 // what a full step could still add to the log likelihood
	deviation = 1.96
)

// fitted is a mixture with the covariance of its shares, and the standard error
// of each.
type fitted struct {
	share, err []float64
	cov        [][]float64
}

// fit finds the mixture of cohorts under which the names are likeliest, a prior
// worth pull authors counted in: the maximum a posteriori with a Dirichlet prior
// that expectation–maximisation climbs to (Dempster, Laird and Rubin 1977). The
// steps are Newton's with backtracking (Boyd and Vandenberghe 2004, 9.5): the log
// posterior is concave, and where ranges overlap it is so flat that the steps of
// expectation–maximisation stop hundreds of rounds too early.
func fit(rows []observed, prior []float64, pull float64) fitted {
	slices.SortFunc(rows, func(a, b observed) int { // the sum must not depend on map order
		if a.n != b.n {
			return int(b.n - a.n)
		}
		return slices.Compare(a.p, b.p)
	})
	m := mixture{rows, prior, pull}
	share := slices.Clone(prior)
	height := m.height(share)
	for range rounds {
		slope, info := m.slope(share)
		way := solve(info, slope)
		gain := dot(slope, way[:len(slope)])
		if gain < enough {
			break
		}
		next, reached := m.climb(share, way, height, gain)
		if reached <= height {
			break
		}
		share, height = next, reached
	}
	cov := m.covariance(share)
	err := make([]float64, len(share))
	for k := range err {
		err[k] = root(cov[k][k])
	}
	return fitted{share, err, cov}
}

// mixture is the log posterior of shares, seen from the names observed.
type mixture struct {
	rows  []observed
	prior []float64
	pull  float64
}

func (m *mixture) height(share []float64) (h float64) {
	for _, r := range m.rows {
		h += r.n * math.Log(dot(share, r.p))
	}
	for k, p := range m.prior {
		h += m.pull * p * math.Log(share[k])
	}
	return h
}

// climb goes the way, halved until the height rises as far as its slope
// promises, and never out of the simplex.
func (m *mixture) climb(share, way []float64, height, gain float64) ([]float64, float64) {
	length := 1.0
	for k, w := range way {
		if w < 0 {
			length = math.Min(length, -0.95*share[k]/w)
		}
	}
	next := make([]float64, len(share))
	for range rounds {
		for k := range share {
			next[k] = share[k] + length*way[k]
		}
		if h := m.height(next); h > height+1e-4*length*gain {
			return next, h
		}
		length /= 2
	}
	return share, height
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// slope is the gradient and the observed information of all shares but the
// last, which makes them one.
func (m *mixture) slope(share []float64) ([]float64, [][]float64) {
	n := len(share) - 1
	slope, at := make([]float64, n), make([]float64, n)
	info := make([][]float64, n)
	for i := range info {
		info[i] = make([]float64, n)
	}
	for _, r := range m.rows {
		mass := dot(share, r.p)
		for i := range at {
			at[i] = (r.p[i] - r.p[n]) / mass
			slope[i] += r.n * at[i]
			for j := range i + 1 {
				info[i][j] += r.n * at[i] * at[j]
			}
		}
	}
	last := m.pull * m.prior[n] / share[n]
	for i := range n {
		own := m.pull * m.prior[i] / share[i]
		slope[i] += own - last
		info[i][i] += own / share[i]
		for j := range i + 1 {
			info[i][j] += last / share[n]
			info[j][i] = info[i][j]
		}
	}
	return slope, info
}

// solve returns the Newton step of all shares; they still sum to one.
func solve(info [][]float64, slope []float64) []float64 {
	inverse := invert(info)
	way := make([]float64, len(slope)+1)
	for i, row := range inverse {
		way[i] = dot(row, slope)
		way[len(slope)] -= way[i]
	}
	return way
}

// covariance is from the observed information. Near none the prior would seem to
// know a share exactly, so that it counts there as if the share were a little.
func (m *mixture) covariance(share []float64) [][]float64 {
	some := slices.Clone(share)
	for k := range some {
		some[k] = math.Max(some[k], 1e-3)
	}
	_, info := m.slope(some)
	n := len(info)
	cov := append(invert(info), make([]float64, n+1))
	for i := range n {
		last := 0.0 // the last share is what the others leave
		for _, v := range cov[i] {
			last -= v
		}
		cov[i] = append(cov[i], last)
		cov[n][i] = last
		cov[n][n] -= last
	}
	return cov
}

// root is that of a variance, which rounding may have made less than none.
func root(variance float64) float64 { return math.Sqrt(math.Max(variance, 0)) }

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
