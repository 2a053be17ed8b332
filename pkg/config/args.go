package config

import "flag"

// ParseArgs reads a tool's flags wherever they stand, and returns the arguments
// among them: package flag would stop at the first argument, and a flag behind
// an address would be passed over in silence.
func ParseArgs(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}
