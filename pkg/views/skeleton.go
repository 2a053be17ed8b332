package views

import (
	"context"
	"errors"
)

func openMongo(ctx context.Context, address string) (Store, error) { return nil, errors.ErrUnsupported }
func openBolt(path string) (Store, error)                          { return nil, errors.ErrUnsupported }
