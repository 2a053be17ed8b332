package embedded

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// guard refuses records while the disk is nearly full. Without it a failed sync
// would go unseen, and a write that fails half-way leaves files to repair. It
// looks at the disk now and then, and near the bound before every record.
type guard struct {
	cluster *kfake.Cluster
	dir     string
	least   int64
	log     *slog.Logger
	mu      sync.Mutex // one look at a time
	near    atomic.Bool
	full    atomic.Bool
	quit    chan struct{}
	done    sync.WaitGroup
}

const (
	guardInterval = 100 * time.Millisecond
	// nearBytes is more than anybody writes in an interval.
	nearBytes = 256 << 20
)

func watch(cluster *kfake.Cluster, dir string, least int64, log *slog.Logger) *guard {
	g := &guard{cluster: cluster, dir: dir, least: least, log: log, quit: make(chan struct{})}
	g.look()
	g.done.Go(g.run)
	return g
}

func (g *guard) run() {
	tick := time.NewTicker(guardInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.look()
		case <-g.quit:
			return
		}
	}
}

func (g *guard) stop() {
	close(g.quit)
	g.done.Wait()
}

// look compares the free space with the bound; it takes half as much again to
// open than to shut.
func (g *guard) look() {
	g.mu.Lock()
	defer g.mu.Unlock()
	free, err := freeBytes(g.dir)
	if err != nil {
		g.log.Warn("the disk's free space is unknown", "error", err)
		return
	}
	if near := g.least > 0 && free < g.least+nearBytes; g.near.Swap(near) != near && near {
		g.cluster.ControlKey(int16(kmsg.Produce), g.judge)
	}
	full := g.full.Load()
	switch {
	case !full && free < g.least:
		g.full.Store(true)
		g.log.Error("the disk is full: the log refuses records until there is space",
			"folder", g.dir, "free_bytes", free, "needed_bytes", g.least+g.least/2)
	case full && free >= g.least+g.least/2:
		g.full.Store(false)
		g.log.Info("the disk has space: the log takes records", "folder", g.dir, "free_bytes", free)
	}
}

func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ by system
}

// judge looks at the disk before the log takes a produce request, and answers
// in the log's place if it is full.
func (g *guard) judge(req kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's order
	if g.look(); !g.near.Load() {
		g.cluster.DropControl()
		return nil, nil, false
	}
	g.cluster.KeepControl()
	produce, ok := req.(*kmsg.ProduceRequest)
	if !ok || !g.full.Load() {
		return nil, nil, false
	}
	return refuse(produce)
}

// refuse answers with a code that clients do not retry, so whoever waits learns
// at once.
func refuse(produce *kmsg.ProduceRequest) (kmsg.Response, error, bool) { //nolint:revive // kfake's order
	resp, ok := produce.ResponseKind().(*kmsg.ProduceResponse)
	if !ok {
		return nil, nil, false
	}
	why := "the disk is full"
	for _, t := range produce.Topics {
		out := kmsg.NewProduceResponseTopic()
		out.Topic, out.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			part := kmsg.NewProduceResponseTopicPartition()
			part.Partition, part.ErrorCode = p.Partition, kerr.PolicyViolation.Code
			part.BaseOffset, part.ErrorMessage = -1, &why
			out.Partitions = append(out.Partitions, part)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return resp, nil, true
}
