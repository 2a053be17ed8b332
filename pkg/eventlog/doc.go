// Package eventlog is the log: it appends records to Kafka, reads partitions
// back, and tells the members of a group which seats they hold. It is the only
// importer of sarama.
//
// An append returns when the brokers have the record as durably as the topic
// asks. An append that fails may still have happened: every record carries an id
// by which a second copy is recognised, so the caller may send it again.
//
// A Reader follows one partition from an offset. It owns its connection, so it
// waits for new records in the brokers (a few milliseconds after the append, no
// polling), and it finds the new leader by itself when a broker dies. It never
// skips: where it cannot go on it says so.
//
// Offsets are those of the log: rising, not always by one.
//
// Membership needs no coordinator of our own: Seats joins a consumer group on a
// topic that stays empty, and each partition of that topic is a seat. Whoever
// holds seat i does the work of i.
package eventlog
