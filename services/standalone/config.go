package standalone

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/services/api"
	"github.com/clamor-live/clamor/services/batch"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/clamor-live/clamor/services/internal/process"
	"github.com/clamor-live/clamor/services/realtime"
)

// Config is the all-in-one's. An address that is empty means the embedded server
// over the data folder.
type Config struct {
	process.Config
	Data string `doc:"the data folder; it is made when missing"`
	Demo bool   `doc:"run a demo show: a poll, simulated viewers, posts"`
	// Started, if set, is told the address once everything answers.
	Started func(baseURL string) `config:"-"`

	Kafka    eventlog.Config
	Redis    process.Redis
	Views    config.Secret `doc:"store of generations: mongodb://… instead of a file in the data folder"`
	Archive  string        `doc:"folder of the archive, instead of the data folder's"`
	Search   config.Secret `doc:"search engine: http(s)://host:9200/prefix (Elasticsearch) instead of a folder in the data folder; none for none"`
	Keys     process.Keys
	Embedded Embedded

	Control  control.Config
	Capture  capture.Config
	Realtime realtime.Config
	Batch    batch.Config
	API      api.Config
}

// Embedded says where the embedded servers listen; both are on loopback.
type Embedded struct {
	KafkaListen  string
	RedisListen  string
	MinFreeBytes int64 `doc:"disk space below which the log takes no more records"`
}

// DefaultConfig runs everything on loopback over the folder data.
func DefaultConfig() Config {
	servers := embedded.DefaultConfig()
	c := Config{
		Config:   process.DefaultConfig(),
		Data:     "data",
		Kafka:    eventlog.DefaultConfig(),
		Redis:    process.Redis{Config: speed.DefaultConfig()},
		Embedded: Embedded{KafkaListen: servers.KafkaListen, RedisListen: servers.RedisListen, MinFreeBytes: servers.MinFreeBytes},
		Control:  control.DefaultConfig(),
		Capture:  capture.DefaultConfig(),
		Realtime: realtime.DefaultConfig(),
		Batch:    batch.DefaultConfig(),
		API:      api.DefaultConfig(),
	}
	c.Kafka.Partitions = 0 // see fill
	// The embedded log writes one record after the other, and each costs it more
	// than the ballots in it: full ones pay, and full they are soon.
	c.Capture.Flush.InFlight, c.Capture.Flush.Delay = 1, 5*time.Millisecond
	return c
}

// Validate names every fault. The sections of the services are checked by the
// services themselves as well.
func (c *Config) Validate() error {
	var errs []error
	if c.Data == "" {
		errs = append(errs, errors.New("data: the data folder is missing"))
	}
	if c.Listen == "" {
		errs = append(errs, errors.New("listen: the address is missing"))
	}
	errs = append(errs, process.ValidateSearch(c.Search))
	errs = append(errs, process.Validate(c.Config, c.Redis, c.Control, c.Capture, c.Realtime, c.Batch, c.API))
	return errors.Join(errs...)
}

func (c *Config) servers() embedded.Config {
	return embedded.Config{
		DataDir: c.Data, Kafka: len(c.Kafka.Brokers) == 0, Redis: c.Redis.URL == "",
		KafkaListen: c.Embedded.KafkaListen, RedisListen: c.Embedded.RedisListen, MinFreeBytes: c.Embedded.MinFreeBytes,
	}
}

// fill gives what is empty its place in the data folder or its embedded server.
func (c *Config) fill(s *embedded.Servers) {
	embedded := len(c.Kafka.Brokers) == 0
	if embedded {
		c.Kafka.Brokers, c.Kafka.Dial = s.Brokers(), s.Dial
		c.Kafka.Replication = 1
		// One goroutine serves the whole log: a long fetch holds up the ballots.
		c.Kafka.FetchBytes = min(c.Kafka.FetchBytes, 512<<10)
	}
	if c.Kafka.Partitions == 0 {
		c.Kafka.Partitions = eventlog.DefaultConfig().Partitions
		if embedded { // it syncs partition by partition, so one takes the most ballots
			c.Kafka.Partitions = 1
		}
	}
	if c.Redis.URL == "" {
		c.Redis.URL = config.Secret(s.RedisURL())
	}
	if c.Views == "" {
		c.Views = config.Secret("file:" + filepath.Join(c.Data, "views.db"))
	}
	if c.Archive == "" {
		c.Archive = filepath.Join(c.Data, "archive")
	}
	if c.Search == "" {
		c.Search = config.Secret("file:" + filepath.Join(c.Data, "search"))
	}
	if c.Keys.Master == "" && c.Keys.MasterFile == "" {
		c.Keys.MasterFile = filepath.Join(c.Data, "secret.key")
	}
	if c.Keys.Bucket == "" {
		c.Keys.Bucket = filepath.Join(c.Data, "keys")
	}
	if c.Capture.ReplayDir == "" {
		c.Capture.ReplayDir = filepath.Join(c.Data, "replay")
	}
}
