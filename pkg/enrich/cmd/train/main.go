// Command train builds the embedded models from the shared data.
//
//	train -data ../shared/data language      writes lang/language.model
//	train -data ../shared/data -check language   cross-validates instead
//
// The same data gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
)

type job struct {
	name  string
	data  string
	out   string
	check bool
	fold  int
	rated []string
}

func main() {
	var j job
	flag.StringVar(&j.data, "data", "../../shared/data", "folder of the shared data")
	flag.StringVar(&j.out, "out", "enrich", "folder of the enrich package")
	flag.BoolVar(&j.check, "check", false, "cross-validate and write nothing")
	flag.IntVar(&j.fold, "folds", 5, "folds of the cross-validation to run")
	flag.Func("rated", "file of rated English texts to score the sentiment of, in place of cross-validating; repeatable", func(file string) error {
		j.rated = append(j.rated, file)
		return nil
	})
	flag.Parse()
	if err := run(j, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(j job, names []string) error {
	jobs := map[string]func(job) error{
		"language":  trainLanguage,
		"sentiment": trainSentiment,
		"place":     trainPlace,
		"names":     trainNames,
		"addresses": packAddresses,
	}
	for _, name := range names {
		f, ok := jobs[name]
		if !ok {
			return fmt.Errorf("no model is called %q", name)
		}
		j.name = name
		if err := f(j); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
