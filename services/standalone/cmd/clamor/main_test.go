package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/run"
)

func TestCommands(t *testing.T) {
	cases := []struct {
		args []string
		says string // in either output or the error
		code int
	}{
		{[]string{"version"}, "clamor dev", 0},
		{[]string{"--version"}, "clamor dev", 0},
		{[]string{"help"}, "--admin-listen 127.0.0.1:9090", 0},
		{[]string{"--print-config", "serve"}, `unknown argument "serve"`, 1},
		{[]string{"--help"}, "--admin-listen 127.0.0.1:9090", 0},
		{[]string{"--print-config", "--data", "/srv/x", "--redis", "redis://:hunter2@r:1/0"}, "data: /srv/x", 0},
		{[]string{"--nonsense"}, "nonsense", 1},
		{[]string{"--log-format", "xml"}, "log.format", 1},
		{[]string{"serve"}, `unknown argument "serve"`, 1},
		{[]string{"load", "--help"}, "clamor load drives", 0},
		{[]string{"load", "--token", ""}, "an API token is needed", 2},
		{[]string{"load", "http://127.0.0.1:1", "--rate", "-1", "--token", "x"}, "rate: it is negative", 2},
		{[]string{"load", "http://127.0.0.1:1", "http://127.0.0.1:2"}, `unexpected argument "http://127.0.0.1:2"`, 2},
		{[]string{"sources", "http://127.0.0.1:1", "--token-file", "/nowhere"}, "/nowhere", 2},
		{[]string{"doctor", "nowhere", "--watch", "1s"}, `"nowhere" is no URL`, 2},
		{[]string{"doctor"}, "clamor doctor URL", 2},
		{[]string{"doctor", "--help"}, "graphics engines", 0},
		{[]string{"rule", "explain", "gol", "que gol"}, "match", 0},
		{[]string{"rule", "explain", "gol AND", "que gol"}, "the rule", 2},
		{[]string{"replay", "--help"}, "clamor replay FILE", 0},
		{[]string{"sources", "--help"}, "clamor sources prints", 0},
	}
	for _, c := range cases {
		var out, errs bytes.Buffer
		err := clamor(t.Context(), c.args, &out, &errs)
		if code := run.Code(err, &errs); code != c.code {
			t.Errorf("%v: exit %d, want %d", c.args, code, c.code)
		}
		all := out.String() + errs.String()
		if !strings.Contains(all, c.says) {
			t.Errorf("%v: want %q in\n%s", c.args, c.says, all)
		}
		if strings.Contains(all, "hunter2") {
			t.Errorf("%v shows a secret:\n%s", c.args, all)
		}
	}
}

func TestAnExitCodeIsNoError(t *testing.T) {
	var out bytes.Buffer
	err := clamor(t.Context(), []string{"doctor"}, &out, &out)
	var exit *run.Exit
	if !errors.As(err, &exit) || exit.Cause != nil {
		t.Errorf("%v", err)
	}
}
