// Package architecture holds the test of the import directions: data walks
// through the house once, capture → eventlog → realtime and batch → views → api,
// and every outside library has one door.
package architecture
