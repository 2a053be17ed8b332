package api

import (
	"net/netip"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/control"
)

// allows says whether a destination's feeds may be read from the client's
// address.
func allows(d *control.Destination, c *gin.Context) bool {
	if len(d.Allow) == 0 {
		return true
	}
	client, err := netip.ParseAddr(c.ClientIP())
	if err != nil {
		return false
	}
	client = client.Unmap().WithZone("")
	return slices.ContainsFunc(d.Allow, func(text string) bool {
		network, err := control.ParseNetwork(text)
		return err == nil && network.Contains(client)
	})
}
