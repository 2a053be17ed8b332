package speed

import (
	"fmt"
	"strings"
)

// verdict reads what a script says of itself in the first element of its reply.
func verdict(reply any, err error) error {
	if err != nil {
		return damage(err)
	}
	fields, _ := reply.([]any)
	if len(fields) == 0 {
		return fmt.Errorf("%w: the script answered %v", ErrDamaged, reply)
	}
	switch fields[0] {
	case "ok", "there":
		return nil
	case "empty":
		return ErrEmpty
	case "sealed":
		return ErrSealed
	case "fenced":
		pos, err := positionOf(fields[1:])
		if err != nil {
			return err
		}
		return &Fenced{Stored: pos}
	}
	return fmt.Errorf("%w: the script answered %v", ErrDamaged, fields[0])
}

// damage marks the errors that come of foreign keys in our place. Of a script
// they mean that part of it may have been applied.
func damage(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, sign := range []string{"WRONGTYPE", "not an integer", "would overflow"} {
		if strings.Contains(text, sign) {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return err
}
