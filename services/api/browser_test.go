package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// browser is a headless Chromium with one page of a size; the test is skipped
// where there is none.
func browser(t *testing.T, width, height int64) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium here: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true), chromedp.Flag("lang", "en-US"),
	)
	ctx, stop := context.WithTimeout(context.Background(), 90*time.Second)
	ctx, closeProcess := chromedp.NewExecAllocator(ctx, options...)
	ctx, closePage := chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); closePage(); closeProcess(); stop() })
	do(t, ctx, chromedp.EmulateViewport(width, height))
	return ctx
}

// shot keeps a picture where CLAMOR_SHOTS names a folder.
func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("CLAMOR_SHOTS")
	if dir == "" {
		return
	}
	do(t, ctx, chromedp.Sleep(900*time.Millisecond)) // bars glide
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

type step = chromedp.Action[chromedp.Void]

func do(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	for _, s := range steps {
		if _, err := chromedp.Run(ctx, s); err != nil {
			page, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
			t.Fatalf("%v\n%s", err, page)
		}
	}
}

func goTo(url string) step { return chromedp.Navigate(url) }

func click(css string) step { return chromedp.Click(chromedp.CSS(css)) }

func visible(css string) step { return chromedp.WaitVisible(chromedp.CSS(css)) }

func typed(css, keys string) step { return chromedp.SendKeys(chromedp.CSS(css), keys) }

func ready(state string) step {
	return chromedp.WaitReady(chromedp.CSS(`main[data-state="` + state + `"]`))
}

func textOf(t *testing.T, ctx context.Context, css string) string {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(css)))
	must(t, err)
	return text
}

func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	must(t, err)
	return v
}

func becomes(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression))
	must(t, err)
}

// booth is the API with doors for voters beside it, which fail as told.
type booth struct {
	*rig

	url   string
	fail  atomic.Int64 // how many ballots yet meet a bad network
	mu    sync.Mutex
	ids   []string
	votes int
}

func newBooth(t *testing.T) *booth {
	b := &booth{rig: newRig(t)}
	mux := http.NewServeMux()
	mux.Handle("/", b.api.Handler())
	mux.HandleFunc("POST /v1/voters", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"voter_token":"v","expires_at":"2030-01-01T00:00:00.000Z"}`)
	})
	mux.HandleFunc("POST /v1/polls/{poll}/ballots", b.ballot)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *booth) ballot(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID      string           `json:"ballot_id"`
		Choices []string         `json:"choices"`
		Scores  map[string]int32 `json:"scores"`
	}
	if r.Header.Get("Authorization") != "Bearer v" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"code":"voter-required"}`)
		return
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids = append(b.ids, in.ID)
	if b.fail.Add(-1) >= 0 {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	p, _ := b.control.State().Poll(r.PathValue("poll"))
	now := audience.MillisOf(b.now())
	if st := p.At(now); st.Phase != audience.Open {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, `{"code":"poll-not-open","phase":%q}`, st.Phase)
		return
	}
	var slots []uint16
	for _, c := range in.Choices {
		slots = append(slots, p.Definition.Slot(c))
	}
	b.votes++
	receipt := b.cast(r.PathValue("poll"), 1000+b.votes, slots...)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"ballot_id":%q,"receipt":%q}`, in.ID, receipt)
}

func colourful() map[string]any {
	return map[string]any{
		"reveal": "vote", "question": "Who wins the Grand Final?",
		"options": []any{
			map[string]any{"id": "a", "label": "Anna & The Echoes", "label_short": "ANNA", "color": "#38bdf8"},
			map[string]any{"id": "b", "label": "Ben <b>Okafor</b>", "label_short": "BEN", "color": "#f472b6"},
			map[string]any{"id": "c", "label": "Cléo Duarte", "label_short": "CLEO", "color": "#a78bfa"},
		},
	}
}

func TestVoterPage(t *testing.T) {
	b := newBooth(t)
	ctx := browser(t, 390, 844)
	b.stage("final-vote", colourful())
	do(t, ctx, goTo(b.url+"/p/final-vote"), ready("standby"))
	shot(t, ctx, "voter-1-standby")
	b.order("final-vote", "open")
	do(t, ctx, ready("open"))
	if text := textOf(t, ctx, "#hint"); text != "Tap your choice" {
		t.Fatalf("%q", text)
	}
	for v := range 30 {
		b.cast("final-vote", v, uint16(1+v%5%3))
	}
	shot(t, ctx, "voter-2-open")
	b.fail.Store(8) // browsers repeat some of these by themselves
	do(t, ctx, click(`button[data-id="b"]`))
	if text := textOf(t, ctx, "#send"); text != "Vote for BEN" {
		t.Fatalf("%q", text)
	}
	shot(t, ctx, "voter-3-chosen")
	do(t, ctx, click("#send"), ready("sending"))
	becomes(t, ctx, `document.getElementById("trouble").textContent !== ""`)
	shot(t, ctx, "voter-4-sending")
	do(t, ctx, ready("voted"), visible(".bar"))
	if text := textOf(t, ctx, "#choice"); text != "Ben <b>Okafor</b>" {
		t.Fatalf("%q", text)
	}
	b.mu.Lock()
	for _, id := range b.ids {
		if id != b.ids[0] {
			t.Errorf("a retry is the same ballot: %v", b.ids)
		}
	}
	b.mu.Unlock()
	shot(t, ctx, "voter-5-voted")
	do(t, ctx, click("#check"))
	becomes(t, ctx, `document.getElementById("detail").textContent.includes("counted")`)
	do(t, ctx, chromedp.Reload(), ready("voted")) // and is remembered
	b.order("final-vote", "close")
	do(t, ctx, visible(".chip.closed"))
	shot(t, ctx, "voter-6-closed")
	b.order("final-vote", "reset")
	b.order("final-vote", "open")
	do(t, ctx, ready("open")) // a new round forgets
	b.order("final-vote", "pause")
	do(t, ctx, ready("paused"))
	shot(t, ctx, "voter-7-paused")
	b.order("final-vote", "close")
	do(t, ctx, ready("closed"))
	do(t, ctx, goTo(b.url+"/p/none"), ready("missing"))
	shot(t, ctx, "voter-8-missing")
}

func TestVoterPageOfOtherKinds(t *testing.T) {
	b := newBooth(t)
	ctx := browser(t, 360, 740)
	many := colourful()
	many["limits"] = map[string]any{"max_choices": 2}
	b.stage("two", many)
	scores := colourful()
	scores["kind"], scores["limits"] = "score", map[string]any{"max_choices": 3}
	b.stage("stars", scores)
	react := colourful()
	react["kind"], react["question"] = "reaction", "How was that?"
	b.stage("mood", react)
	for _, id := range []string{"two", "stars", "mood"} {
		b.order(id, "open")
	}
	do(t, ctx, goTo(b.url+"/p/two?locale=pt"), ready("open"),
		click(`button[data-id="a"]`), click(`button[data-id="b"]`), click(`button[data-id="c"]`)) // one too many
	if n := eval[int](t, ctx, `document.querySelectorAll("[aria-pressed=true]").length`); n != 2 {
		t.Fatalf("%d chosen", n)
	}
	shot(t, ctx, "voter-two")
	do(t, ctx, click("#send"), ready("voted"))
	do(t, ctx, goTo(b.url+"/p/stars?locale=es"), ready("open"), click(`label[data-id="a"] input`))
	shot(t, ctx, "voter-score")
	do(t, ctx, click("#send"), ready("voted"))
	do(t, ctx, goTo(b.url+"/p/mood"), ready("open"))
	shot(t, ctx, "voter-reaction")
	for range 3 {
		do(t, ctx, click(`button[data-id="c"]`))
	}
	b.until("/v1/polls/mood/results", votes(3))
}

func TestOverlay(t *testing.T) {
	b := newBooth(t)
	ctx := browser(t, 1920, 1080)
	poll := colourful()
	poll["reveal"], poll["limits"] = "manual", map[string]any{"ballots_per_voter": 0}
	b.stage("p7", poll)
	token := b.feed(map[string]any{"aliases": map[string]string{"votes": "f_votes"}}) // the overlay does not mind
	b.order("p7", "open")
	do(t, ctx, goTo(b.url+"/feeds/"+token+"/polls/p7/overlay"), visible(".board.on"))
	if !eval[bool](t, ctx, `document.querySelector(".board").classList.contains("hidden-figures")`) {
		t.Fatal("hidden figures are shown")
	}
	if colour := eval[string](t, ctx, `getComputedStyle(document.body).backgroundColor`); colour != "rgba(0, 0, 0, 0)" {
		t.Fatalf("not transparent: %s", colour)
	}
	backdrop(t, ctx)
	shot(t, ctx, "overlay-1-hidden")
	for v := range 1234 {
		b.cast("p7", v, uint16([]int{1, 2, 2, 3, 2, 1, 1}[v%7]))
	}
	b.order("p7", "reveal")
	becomes(t, ctx, `document.getElementById("total").textContent.includes("1,234")`)
	if pct := textOf(t, ctx, `#options li:nth-child(2) .pct`); !strings.HasSuffix(pct, "%") {
		t.Fatalf("%q", pct)
	}
	shot(t, ctx, "overlay-2-open")
	b.order("p7", "close")
	do(t, ctx, visible(".chip.closed"))
	shot(t, ctx, "overlay-3-closed")
	do(t, ctx, goTo(b.url+"/feeds/"+token+"/polls/p7/overlay?place=full&sort=rank&locale=pt"), visible(".board.on"))
	backdrop(t, ctx)
	shot(t, ctx, "overlay-4-full")
}

// TestTopicOverlay: figures come and change by themselves, as bars and as words.
func TestTopicOverlay(t *testing.T) {
	b := newBooth(t)
	ctx := browser(t, 1920, 1080)
	b.about("goal", "lang:en OR lang:pt OR goal", map[string]any{"title": "Talk of the <i>final</i>"})
	token := b.feed(map[string]any{"aliases": map[string]string{"count": "f_count"}}) // the overlay does not mind
	overlay := b.url + "/feeds/" + token + "/topics/goal/overlay"
	do(t, ctx, goTo(overlay), visible(".board.on"), visible("#none"))
	if text := textOf(t, ctx, "#question"); text != "Talk of the <i>final</i>" {
		t.Fatalf("%q", text)
	}
	backdrop(t, ctx)
	shot(t, ctx, "topic-1-nothing")
	say := func(n int, text, place string) {
		b.say(fmt.Sprint(n), author(n), text, func(p *clamorv1.Post) { p.Author.Location = place })
	}
	for n := range 30 {
		say(n, "what a wonderful goal tonight "+[]string{"#anna", "#anna", "#ben"}[n%3], "Recife, Brasil")
	}
	becomes(t, ctx, `document.getElementById("total").textContent === "30 posts"`)
	first := `document.querySelector("#options li:first-child .label").textContent`
	if label := eval[string](t, ctx, first); label != "#anna" {
		t.Fatalf("%q leads", label)
	}
	if eval[bool](t, ctx, `document.querySelector(".rising") !== null`) {
		t.Fatal("what was never there before is not rising, it is there")
	}
	if colour := eval[string](t, ctx, `getComputedStyle(document.body).backgroundColor`); colour != "rgba(0, 0, 0, 0)" {
		t.Fatalf("not transparent: %s", colour)
	}
	shot(t, ctx, "topic-2-bars")
	for n := range 40 {
		say(100+n, "o gol mais lindo da final #cleo", "mi casa")
	}
	becomes(t, ctx, `document.getElementById("total").textContent === "70 posts"`)
	becomes(t, ctx, `[...document.querySelectorAll("#options li")].some(e => e.textContent.includes("#cleo") && e.textContent.includes("57%"))`)
	if n := eval[int](t, ctx, `new Set([...document.querySelectorAll(".fill")].map(e => e.style.getPropertyValue("--color"))).size`); n != 3 {
		t.Errorf("%d colours for 3 parts", n)
	}
	shot(t, ctx, "topic-3-moved")
	do(t, ctx, goTo(overlay+"?by=country&locale=pt"), visible(".board.on li"))
	if labels := eval[string](t, ctx, `[...document.querySelectorAll(".label")].map(e => e.textContent).join()`); labels != "Brasil" {
		t.Errorf("%q, and nobody knows where the others are", labels)
	}
	do(t, ctx, goTo(overlay+"?look=cloud&place=right,top"), visible("#cloud span"))
	becomes(t, ctx, `[...document.querySelectorAll("#cloud span")].some(e => e.textContent === "goal")`)
	backdrop(t, ctx)
	shot(t, ctx, "topic-4-cloud")
}

// backdrop puts something like a studio behind the overlay, for the picture.
func backdrop(t *testing.T, ctx context.Context) {
	t.Helper()
	eval[string](t, ctx, `document.documentElement.style.background = "linear-gradient(120deg,#1e3a5f,#7c5295 60%,#c97b63)"`)
}

func TestHomePage(t *testing.T) {
	b := newBooth(t)
	ctx := browser(t, 1280, 900)
	b.stage("p7", colourful())
	b.stage("p8", map[string]any{"question": "What will be asked next week?"})
	b.stage("p9", map[string]any{"question": "Best goal?"})
	b.about("goal", "goal", nil)
	b.order("p7", "open")
	b.order("p9", "open")
	b.order("p9", "close")
	if a := b.get("/", anonymous).is(200, ""); strings.Contains(string(a.body), "next week") || !strings.Contains(string(a.body), "Grand Final") {
		t.Fatalf("%s", a.body)
	}
	do(t, ctx, goTo(b.url+"/"), visible(".poll"))
	shot(t, ctx, "home-1")
	do(t, ctx, typed("#token", "wrong\r"))
	becomes(t, ctx, `document.getElementById("token").validationMessage !== ""`)
	eval[string](t, ctx, `document.getElementById("token").value = ""`)
	do(t, ctx, typed("#token", b.admin+"\r"), visible("#feeds"), typed("#make-name", "Graphics A\r"), visible("#made a"), visible(".destination"))
	shot(t, ctx, "home-2-signed-in")
	if n := eval[int](t, ctx, `document.querySelectorAll(".poll").length`); n != 4 {
		t.Fatalf("%d polls and topics", n)
	}
	b.cast("p7", 1, 1)
	becomes(t, ctx, `document.querySelector(".poll .sum").textContent.startsWith("1 vote ")`)
	for n := range 5 {
		b.say(fmt.Sprint(n), author(n), "what a goal #final")
	}
	becomes(t, ctx, `document.querySelector(".topic .figures").textContent.includes("5 posts by 5 people")`)
	shot(t, ctx, "home-3-figures")
}
