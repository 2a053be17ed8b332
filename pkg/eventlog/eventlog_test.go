package eventlog_test

import (
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
)

func TestMain(m *testing.M) {
	if env := os.Getenv(childEnv); env != "" {
		sit(env)
		return
	}
	goleak.VerifyTestMain(m,
		// The meters of sarama's metrics share one ticker that never ends.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
	)
}

// startKafka runs a log in memory for one test.
func startKafka(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestConformance(t *testing.T) {
	eventlogtest.Run(t, startKafka(t).ListenAddrs())
}

func TestConformanceThreeBrokers(t *testing.T) {
	eventlogtest.Run(t, startKafka(t, kfake.NumBrokers(3)).ListenAddrs())
}

// TestConformanceReal runs on the Kafka that CLAMOR_TEST_KAFKA names.
func TestConformanceReal(t *testing.T) {
	brokers := os.Getenv("CLAMOR_TEST_KAFKA")
	if brokers == "" {
		t.Skip("CLAMOR_TEST_KAFKA names no brokers")
	}
	eventlogtest.Run(t, strings.Split(brokers, ","))
}
