package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/config"
)

type kafka struct {
	Brokers     []string      `doc:"addresses of the brokers"`
	AckDeadline time.Duration `doc:"how long an append may take"`
	Password    config.Secret
}

type issuer struct {
	Name string `yaml:"name"`
	JWKS string `yaml:"jwks"`
}

type settings struct {
	Listen   string `doc:"where to listen"`
	Demo     bool
	Rate     float64
	Parts    int32
	Big      uint8
	Kafka    kafka
	RedisURL string
	Issuers  []issuer
	Labels   map[string]string
	Now      func() time.Time
	hidden   int
	Hidden   int `config:"-"`
}

func (s *settings) Validate() error {
	if s.Parts < 1 {
		return errors.New("parts: want at least 1")
	}
	return nil
}

func defaults() settings {
	return settings{Listen: "127.0.0.1:8080", Parts: 4, Kafka: kafka{AckDeadline: 2 * time.Second}, hidden: 1}
}

func load(t *testing.T, file string, environ []string, args ...string) (settings, []string, string, error) {
	t.Helper()
	var out bytes.Buffer
	got := defaults()
	rest, err := config.Load(&got, config.Options{
		Name: "clamor", About: "Counts.", Args: args, Environ: environ, Out: &out,
		Short:  map[string]string{"redis": "redis_url"},
		Others: []string{"CLAMOR_TEST_"},
		ReadFile: func(name string) ([]byte, error) {
			if name != "c.yaml" {
				return nil, fs.ErrNotExist
			}
			return []byte(file), nil
		},
	})
	return got, rest, out.String(), err
}

func TestEachLayerWinsOverTheOneBefore(t *testing.T) {
	file := `
listen: file:1
demo: true
rate: 0.5
big: 7
kafka:
  brokers: [a:1, b:2]
  ack_deadline: 250ms
  password: hunter2
issuers:
  - {name: x, jwks: "https://x"}
labels: {k: v}
`
	got, rest, _, err := load(t, file, []string{"CLAMOR_LISTEN=env:1", "CLAMOR_PARTS=8", "PATH=/bin",
		"CLAMOR_KAFKA_BROKERS=c:3, d:4", "CLAMOR_API_PORT_8080_TCP=tcp://x", "CLAMOR_TEST_KAFKA=k", "CLAMOR_API_SERVICE_HOST=10.0.0.1"},
		"--config", "c.yaml", "--listen=flag:1", "--redis", "redis://r", "more", "words")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Listen, want.Demo, want.Rate, want.Parts, want.Big = "flag:1", true, 0.5, 8, 7
	want.Kafka = kafka{Brokers: []string{"c:3", "d:4"}, AckDeadline: 250 * time.Millisecond, Password: "hunter2"}
	want.RedisURL, want.Issuers, want.Labels = "redis://r", []issuer{{"x", "https://x"}}, map[string]string{"k": "v"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(settings{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"more", "words"}, rest); diff != "" {
		t.Error(diff)
	}
}

func TestTheFileMayBeNamedByTheEnvironment(t *testing.T) {
	got, _, _, err := load(t, "demo: true", []string{"CLAMOR_CONFIG=c.yaml"})
	if err != nil || !got.Demo {
		t.Errorf("%v %v", got.Demo, err)
	}
}

func TestFaults(t *testing.T) {
	cases := map[string]struct {
		file    string
		environ []string
		args    []string
		says    string
	}{
		"unknown key":         {file: "listn: x", says: "unknown key listn"},
		"unknown deep key":    {file: "kafka: {broker: x}", says: "unknown key kafka.broker"},
		"misplaced key":       {file: "brokers: [x]", says: "did you mean kafka.brokers?"},
		"unknown in a list":   {file: "issuers: [{nome: x}]", says: "issuers"},
		"ill-typed":           {file: "parts: many", says: "parts: \"many\" is no whole number"},
		"too big":             {file: "big: 256", says: "big"},
		"number for text":     {file: "listen: 8080", says: "quote it"},
		"list for one":        {file: "listen: [a]", says: "listen: want one value"},
		"bad YAML":            {file: "a: [", says: "c.yaml: read YAML"},
		"duplicate":           {file: "demo: true\ndemo: false", says: "c.yaml"},
		"duration":            {file: "kafka: {ack_deadline: 2}", says: "no duration"},
		"unknown variable":    {environ: []string{"CLAMOR_LISTN=x"}, says: "unknown environment variable CLAMOR_LISTN"},
		"ill-typed variable":  {environ: []string{"CLAMOR_DEMO=perhaps"}, says: "CLAMOR_DEMO: \"perhaps\" is neither"},
		"unknown flag":        {args: []string{"--nope"}, says: "not defined: -nope"},
		"ill-typed flag":      {args: []string{"--parts=x"}, says: "--parts"},
		"validation":          {args: []string{"--parts=0"}, says: "parts: want at least 1"},
		"file is not there":   {args: []string{"--config", "other.yaml"}, says: "file does not exist"},
		"several at one time": {file: "a: 1\nb: 2", says: "unknown key b"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if c.file != "" {
				args = append(args, "--config=c.yaml")
			}
			_, _, _, err := load(t, c.file, c.environ, args...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestPrintConfigShowsWhatDiffersAndNoSecret(t *testing.T) {
	_, _, out, err := load(t, "", nil, "--print-config", "--kafka-password=hunter2", "--demo", "--parts=4", "--kafka-ack-deadline=3s",
		"--kafka-brokers=a:1,b:2")
	if !errors.Is(err, config.ErrPrinted) {
		t.Fatal(err)
	}
	want := "demo: true\nkafka:\n  brokers:\n  - a:1\n  - b:2\n  ack_deadline: 3s\n  password: '***'\n"
	if diff := cmp.Diff(want, strings.ReplaceAll(out, `"***"`, `'***'`)); diff != "" {
		t.Error(diff)
	}
	again := defaults()
	if err := config.LoadYAML(&again, []byte(out)); err != nil || !again.Demo {
		t.Errorf("what is printed can be read again: %v", err)
	}
	if _, _, out, _ := load(t, "", nil, "--print-config"); !strings.Contains(out, "every setting has its default") {
		t.Error(out)
	}
}

func TestHelp(t *testing.T) {
	_, _, out, err := load(t, "", nil, "--help")
	if !errors.Is(err, config.ErrPrinted) {
		t.Fatal(err)
	}
	for _, want := range []string{"Counts.", "--listen 127.0.0.1:8080", "where to listen", "--kafka-ack-deadline 2s", "--redis"} {
		if !strings.Contains(out, want) {
			t.Errorf("help lacks %q:\n%s", want, out)
		}
	}
}

func TestAMistypedFlagIsNotBuriedInHelp(t *testing.T) {
	_, _, out, err := load(t, "", nil, "--lisen", ":1")
	if err == nil || !strings.Contains(err.Error(), "-lisen") || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestExtraFlags(t *testing.T) {
	got := defaults()
	var twice int
	_, err := config.Load(&got, config.Options{Args: []string{"--twice=2"}, Extra: func(fs *flag.FlagSet) { fs.IntVar(&twice, "twice", 0, "") }})
	if err != nil || twice != 2 {
		t.Errorf("%d %v", twice, err)
	}
}

func TestASecretShowsNowhere(t *testing.T) {
	s := config.Secret("hunter2")
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s)
	fmt.Fprintf(&out, "%v %s %+v %#v %q", s, s, struct{ S config.Secret }{s}, s, s)
	b, _ := json.Marshal(map[string]any{"s": s})
	out.Write(b)
	if strings.Contains(out.String(), "hunter2") || s.Reveal() != "hunter2" || config.Secret("").String() != "" {
		t.Error(out.String())
	}
}

func TestFlagsBehindAnArgument(t *testing.T) {
	for _, tt := range []struct {
		args string
		rest []string
		rate int
		fast bool
	}{
		{"http://x --rate 7 --fast", []string{"http://x"}, 7, true},
		{"--rate=7 http://x more --fast", []string{"http://x", "more"}, 7, true},
		{"--fast", nil, 0, true},
		{"", nil, 0, false},
	} {
		set := flag.NewFlagSet("tool", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		rate, fast := set.Int("rate", 0, ""), set.Bool("fast", false, "")
		rest, err := config.ParseArgs(set, strings.Fields(tt.args))
		if err != nil || !slices.Equal(rest, tt.rest) || *rate != tt.rate || *fast != tt.fast {
			t.Errorf("%s: %v %d %v %v", tt.args, rest, *rate, *fast, err)
		}
	}
	set := flag.NewFlagSet("tool", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	if _, err := config.ParseArgs(set, []string{"http://x", "--nonsense"}); err == nil {
		t.Error("an unknown flag behind the address is passed over")
	}
}
