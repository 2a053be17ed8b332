// Package e2e plays scenarios against the whole of Clamor, from the HTTP door to
// the feed, and breaks it on the way: processes die by kill -9, stores are
// emptied, batch runs and rebalances fall into the middle of everything.
//
// Its one trick is that the log is the judge: after a run it is read back, and
// every answer that was served, about polls and about topics, is recomputed at the
// offsets the answer names.
package e2e
