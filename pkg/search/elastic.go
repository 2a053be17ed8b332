package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// elasticStore has these names in a cluster, where P is the prefix and L the
// layout, which says how texts are analyzed too:
//
//	P-posts-L-<build>         an index for each build
//	P-posts-L-<build>.writes  its alias for writing: a bulk into an alias that is
//	                          not there fails, where one into an index that is not
//	                          there would make it, without a mapping
//	P-posts-L                 the alias that is read
//
// Nothing is refreshed by itself: Publish does.
type elasticStore struct {
	client *elasticClient
	// prefix is P-posts-, alias P-posts-L.
	prefix, alias string
	shards        int
	stems         bool
}

var _ Store = (*elasticStore)(nil)

// elasticLayout is the version of the mapping.
const elasticLayout = "v1"

const writes = ".writes"

func openElastic(ctx context.Context, address string) (Store, error) {
	a, err := parseElastic(address)
	if err != nil {
		return nil, fmt.Errorf("open search: %w", err)
	}
	client, err := newElasticClient(a)
	if err != nil {
		return nil, fmt.Errorf("open search at %s: %w", a.host, err)
	}
	s := &elasticStore{
		client: client, prefix: a.prefix + "-posts-", alias: a.prefix + "-posts-" + elasticLayout + a.analyzers,
		shards: a.shards, stems: a.analyzers == analyzersLanguage,
	}
	// Not before a first answer is it known that it is an Elasticsearch.
	if _, err := s.indices(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open search at %s: %w", a.host, err), s.Close())
	}
	return s, nil
}

func (s *elasticStore) index(build string) string { return s.alias + "-" + build }

// indices are the store's of all layouts, with their aliases.
func (s *elasticStore) indices(ctx context.Context) (map[string]elasticAliases, error) {
	var all map[string]elasticAliases
	status, err := s.client.do(ctx, http.MethodGet, "/"+s.prefix+"*/_alias", nil, &all)
	if status == http.StatusNotFound {
		return nil, nil
	}
	return all, err
}

type elasticAliases struct {
	Aliases map[string]struct{} `json:"aliases"`
}

func (s *elasticStore) Begin(ctx context.Context, build string) error {
	err := checkBuild(build)
	if err == nil {
		err = s.begin(ctx, build)
	}
	if err != nil {
		return fmt.Errorf("begin search build %q: %w", build, err)
	}
	return nil
}

func (s *elasticStore) begin(ctx context.Context, build string) error {
	body, err := json.Marshal(s.mapping(build))
	if err != nil {
		return err
	}
	var made struct {
		Shards bool `json:"shards_acknowledged"`
	}
	_, err = s.client.do(ctx, http.MethodPut, "/"+s.index(build), body, &made)
	if kind(err) == "resource_already_exists_exception" {
		return nil
	}
	if err == nil && !made.Shards {
		return errors.New("the index was made, and its shards do not start")
	}
	return err
}

func (s *elasticStore) Publish(ctx context.Context, build string) error {
	err := checkBuild(build)
	if err == nil {
		err = s.publish(ctx, build)
	}
	if err != nil {
		return fmt.Errorf("publish search build %q: %w", build, err)
	}
	return nil
}

func (s *elasticStore) publish(ctx context.Context, build string) error {
	var refreshed struct {
		Shards struct{ Failed int } `json:"_shards"`
	}
	status, err := s.client.do(ctx, http.MethodPost, "/"+s.index(build)+"/_refresh", nil, &refreshed)
	if status == http.StatusNotFound {
		return ErrNoBuild
	}
	if err == nil && refreshed.Shards.Failed > 0 {
		err = fmt.Errorf("%d shards were not refreshed", refreshed.Shards.Failed)
	}
	if err != nil {
		return err
	}
	current, err := s.pointed(ctx)
	if err != nil || slices.Equal(current, []string{s.index(build)}) {
		return err
	}
	body, err := json.Marshal(object{"actions": []object{
		{"remove": object{"index": s.prefix + "*", "alias": s.alias, "must_exist": false}},
		{"add": object{"index": s.index(build), "alias": s.alias}},
	}})
	if err != nil {
		return err
	}
	status, err = s.client.do(ctx, http.MethodPost, "/_aliases", body, nil)
	if status == http.StatusNotFound {
		return ErrNoBuild
	}
	return err
}

// pointed are the indices that the alias names: one, or none yet.
func (s *elasticStore) pointed(ctx context.Context) ([]string, error) {
	var named map[string]elasticAliases
	status, err := s.client.do(ctx, http.MethodGet, "/_alias/"+s.alias, nil, &named)
	if status == http.StatusNotFound {
		return nil, nil
	}
	names := make([]string, 0, len(named))
	for name := range named {
		names = append(names, name)
	}
	return names, err
}

func (s *elasticStore) Current(ctx context.Context) (string, error) {
	names, err := s.pointed(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("read the current search build: %w", err)
	case len(names) == 0:
		return "", nil
	case len(names) > 1 || !strings.HasPrefix(names[0], s.alias+"-"):
		return "", fmt.Errorf("read the current search build: the alias %s names %s, which is not ours", s.alias, strings.Join(names, ", "))
	}
	return strings.TrimPrefix(names[0], s.alias+"-"), nil
}

func (s *elasticStore) Expire(ctx context.Context, keep ...string) error {
	if err := s.expire(ctx, keep); err != nil {
		return fmt.Errorf("expire search builds: %w", err)
	}
	return nil
}

func (s *elasticStore) expire(ctx context.Context, keep []string) error {
	all, err := s.indices(ctx)
	if err != nil {
		return err
	}
	for name, has := range all {
		if _, current := has.Aliases[s.alias]; current {
			continue
		}
		if build, ours := strings.CutPrefix(name, s.alias+"-"); ours && slices.Contains(keep, build) {
			continue
		}
		if status, err := s.client.do(ctx, http.MethodDelete, "/"+name, nil, nil); err != nil && status != http.StatusNotFound {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s *elasticStore) Close() error { return s.client.close() }

// object is a JSON object of Elasticsearch's.
type object = map[string]any

// mapping is strict: a member that it does not name is an error, and no field
// comes of a typing mistake. The post itself is kept and not looked at.
func (s *elasticStore) mapping(build string) object {
	keyword := object{"type": "keyword"}
	properties := object{
		fieldID: keyword, fieldShow: keyword, fieldTopics: keyword, fieldLanguage: keyword, fieldSentiment: keyword, fieldCountry: keyword,
		fieldReceived:   object{"type": "date", "format": "epoch_millis"},
		fieldGeneration: object{"type": "long"},
		fieldFolded:     object{"type": "text", "analyzer": "standard"},
		fieldPost:       object{"type": "object", "enabled": false},
		fieldRaw:        object{"type": "binary"},
	}
	analyzers := object{}
	if s.stems {
		for name, a := range languages {
			analyzers[textPrefix+name] = object{"type": a.elastic}
			properties[textPrefix+name] = object{"type": "text", "analyzer": textPrefix + name}
		}
	}
	return object{
		"settings": object{
			"number_of_shards": s.shards, "auto_expand_replicas": "0-1", "refresh_interval": "-1",
			"analysis": object{"analyzer": analyzers},
		},
		"mappings": object{"dynamic": "strict", "properties": properties},
		"aliases":  object{s.index(build) + writes: object{}},
	}
}
