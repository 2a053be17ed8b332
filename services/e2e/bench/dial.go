package main

import (
	"context"
	"net"
)

func dials(ctx context.Context, address string) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
