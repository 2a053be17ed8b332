package flink

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/extworker"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/runnerlib"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// errLost says that the job server went away while a job ran.
var errLost = errors.New("the job server was lost")

const cancelTimeout = 10 * time.Second

// execute submits the job and waits for its end. Beam's own Run is not used: it
// stages this program with every job, and cannot be cancelled.
func (r *Runner) execute(ctx context.Context, fn *foldFn, partitions int) error {
	// Deadlines do not reach Beam: some of its runners panic over them.
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	loopback := ""
	if r.cfg.Command == "" {
		workers, err := extworker.StartLoopback(life, 0)
		if err != nil {
			return fmt.Errorf("start workers: %w", err)
		}
		defer func() { _ = workers.Stop(life) }()
		loopback = workers.EnvironmentConfig(life)
	}
	environment, err := environment(life, r.cfg, loopback)
	if err != nil {
		return err
	}
	pipeline, err := pipeline(fn, partitions, environment)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(r.cfg.JobServer, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the job server at %s: %w", r.cfg.JobServer, err)
	}
	defer func() { _ = conn.Close() }()
	j := &job{runner: r, client: jobpb.NewJobServiceClient(conn), name: "clamor-" + rand.Text()[:12]}
	parallelism := r.cfg.Parallelism
	if parallelism == 0 {
		parallelism = partitions
	}
	opt := &runnerlib.JobOptions{Name: j.name, Parallelism: parallelism}
	id, artifacts, token, err := runnerlib.Prepare(ctx, j.client, pipeline, opt)
	if err != nil {
		return fmt.Errorf("prepare a job at %s: %w", r.cfg.JobServer, err)
	}
	// Nothing is staged, but the server wants to be told.
	if token, err = runnerlib.Stage(life, id, artifacts, "", token); err != nil {
		return fmt.Errorf("stage the job: %w", err)
	}
	if j.id, err = runnerlib.Submit(ctx, j.client, id, token); err != nil {
		return fmt.Errorf("submit the job: %w", err)
	}
	r.log.Info("flink job submitted", "job", j.name, "partitions", partitions)
	return j.wait(ctx, life)
}

type job struct {
	runner   *Runner
	client   jobpb.JobServiceClient
	id, name string
}

// wait follows the job to its end, and cancels it when ctx ends first.
func (j *job) wait(ctx, life context.Context) error {
	defer context.AfterFunc(ctx, func() { j.cancel(life) })()
	stream, err := j.client.GetMessageStream(life, &jobpb.JobMessagesRequest{JobId: j.id})
	if err != nil {
		return errors.Join(errLost, err)
	}
	said := ""
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return j.ended(ctx, life, said)
		}
		if err != nil {
			return errors.Join(ctx.Err(), errLost, err)
		}
		if m := msg.GetMessageResponse(); m.GetImportance() >= jobpb.JobMessage_JOB_MESSAGE_ERROR {
			said = m.GetMessageText()
		}
		switch state := msg.GetStateResponse().GetState(); state {
		case jobpb.JobState_DONE, jobpb.JobState_CANCELLED, jobpb.JobState_FAILED:
			if state == jobpb.JobState_FAILED && said == "" {
				continue // its reason follows
			}
			return j.ended(ctx, life, said)
		}
	}
}

// ended asks how: a stream ends alike after success and after cancelling.
func (j *job) ended(ctx, life context.Context, said string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	state, err := j.client.GetState(life, &jobpb.GetJobStateRequest{JobId: j.id})
	if err != nil {
		return errors.Join(errLost, err)
	}
	if state.GetState() != jobpb.JobState_DONE {
		return fmt.Errorf("job %s ended as %v: %s", j.name, state.GetState(), said)
	}
	return nil
}

// cancel ends the job at the server and at the cluster, which the server leaves
// running.
func (j *job) cancel(life context.Context) {
	ctx, stop := context.WithTimeout(life, cancelTimeout)
	defer stop()
	_, err := j.client.Cancel(ctx, &jobpb.CancelJobRequest{JobId: j.id})
	if j.runner.cfg.REST != "" {
		err = errors.Join(err, cancelNamed(ctx, j.runner.cfg.REST, j.name))
	}
	if err != nil {
		j.runner.log.Warn("flink job not cancelled", "job", j.name, "error", err)
	}
}

// cancelNamed cancels the cluster's job of that name.
func cancelNamed(ctx context.Context, rest, name string) error {
	var overview struct {
		Jobs []struct{ JID, Name, State string }
	}
	body, err := call(ctx, http.MethodGet, rest+"/jobs/overview")
	if err == nil {
		err = json.Unmarshal(body, &overview)
	}
	if err != nil {
		return fmt.Errorf("list the cluster's jobs: %w", err)
	}
	for _, j := range overview.Jobs {
		if j.Name != name {
			continue
		}
		if _, err := call(ctx, http.MethodPatch, rest+"/jobs/"+j.JID+"?mode=cancel"); err != nil {
			return fmt.Errorf("cancel job %s at the cluster: %w", name, err)
		}
	}
	return nil
}

func call(ctx context.Context, method, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(nil))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	const most = 8 << 20
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body[:min(len(body), 200)]))
	}
	return body, err
}
