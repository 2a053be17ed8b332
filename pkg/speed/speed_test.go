package speed_test

import (
	"testing"

	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
)

func TestConformance(t *testing.T) {
	speedtest.Each(t, func(t *testing.T, store *speed.Store) { speedtest.Run(t, store) })
}
