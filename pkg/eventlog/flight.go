package eventlog

import "sync/atomic"

// flight counts what is sent and not yet answered, against two bounds.
type flight struct {
	maxBytes, maxRecords int64
	bytes, records       atomic.Int64
}

// take reserves room for one record of n bytes, or reports that there is none.
func (f *flight) take(n int) bool {
	if f.bytes.Add(int64(n)) > f.maxBytes {
		f.bytes.Add(-int64(n))
		return false
	}
	if f.records.Add(1) > f.maxRecords {
		f.give(n)
		return false
	}
	return true
}

func (f *flight) give(n int) {
	f.records.Add(-1)
	f.bytes.Add(-int64(n))
}
