// The voter's page: tap an option, tap Vote. A ballot keeps its id until an
// answer says what became of it, so a bad network never votes twice or not at
// all; it is kept over a reload too.
"use strict";
(() => {
  const page = document.getElementById("page");
  const $ = id => document.getElementById(id);
  const poll = page.dataset.poll;
  const words = wordsFor(new URLSearchParams(location.search).get("locale"), ...(navigator.languages || [navigator.language]), page.dataset.locale);
  const base = "/v1/polls/" + encodeURIComponent(poll);
  const palette = ["#38bdf8", "#f472b6", "#a78bfa", "#34d399", "#fbbf24", "#fb7185", "#60a5fa", "#4ade80"];
  let def = null;          // the public definition
  let skew = 0;            // server's clock minus ours
  let picked = new Set();
  let scores = {};
  let ballot = null;       // {ballot_id, round, body, state: sending|in|late|refused, receipt, detail}
  let drawn = "";          // what the buttons were drawn for
  let stream = null;
  let seq = 0;

  const text = (e, value) => { if (e.textContent !== (value || "")) e.textContent = value || ""; };
  const make = (tag, name, value) => { const e = document.createElement(tag); if (name) e.className = name; if (value) e.textContent = value; return e; };
  const colour = (o, i) => /^#[0-9a-f]{3,8}$/i.test(o.color || "") ? o.color : palette[i % palette.length];
  const sleep = ms => new Promise(done => setTimeout(done, ms));

  const store = {
    key: () => "clamor.ballot." + poll + "." + (def ? def.round : 0),
    get() { try { return JSON.parse(localStorage.getItem(this.key())); } catch { return null; } },
    set(value) { try { localStorage.setItem(this.key(), JSON.stringify(value)); } catch { /* a private window: the page remembers while it is open */ } },
  };

  function uuid() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    const b = crypto.getRandomValues(new Uint8Array(16)); // without TLS there is no randomUUID
    b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128;
    const h = [...b].map(x => x.toString(16).padStart(2, "0")).join("");
    return [h.slice(0, 8), h.slice(8, 12), h.slice(12, 16), h.slice(16, 20), h.slice(20)].join("-");
  }

  async function ask(url, options) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 8000);
    try {
      const res = await fetch(url, { credentials: "same-origin", cache: "no-store", signal: stop.signal, ...options });
      let body = null;
      try { body = await res.json(); } catch { /* not from us: a portal or a proxy */ }
      return { status: res.status, body, after: parseInt(res.headers.get("Retry-After"), 10) || 0 };
    } catch {
      return { status: 0, body: null, after: 0 };
    } finally {
      clearTimeout(timer);
    }
  }

  const post = (url, body, token) => ask(url, {
    method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: "Bearer " + token } : {}) },
  });

  const token = { get() { try { return localStorage.getItem("clamor.voter"); } catch { return this.now; } }, set(v) { this.now = v; try { localStorage.setItem("clamor.voter", v); } catch { /* kept in the page */ } }, now: null };

  // deliver sends the ballot until somebody says what became of it.
  async function deliver(b) {
    for (let wait = 400; ; wait = Math.min(wait * 2, 8000)) {
      const { status, body, after } = await post(base + "/ballots", b.body, token.get());
      if (status === 202) return finish(b, "in", body.receipt);
      if (status === 401) {
        const made = await post("/v1/voters", {});
        if (made.status === 201) { token.set(made.body.voter_token); continue; }
      } else if (status === 409 && body && body.code === "poll-not-open") {
        // What was sent in time may have been taken before this retry.
        finish(b, body.phase === "closed" || body.phase === "verified" ? "late" : "refused", null, "");
        return refresh();
      } else if (status === 404 || status === 422 || status === 400) {
        return finish(b, "refused", null, body && body.detail);
      }
      trouble(status === 429 ? words.wait : words.keep);
      await sleep(Math.max(wait, after * 1000) * (0.75 + Math.random() / 2));
    }
  }

  function finish(b, state, receipt, detail) {
    b.state = state; b.receipt = receipt; b.detail = detail;
    if (def && def.kind !== "reaction" && b.round === def.round) store.set(b);
    trouble("");
    if (state === "refused") { ballot = null; store.set(null); trouble(detail ? words.refused + ": " + detail : words.refused); }
    if (state === "in" && receipt) listen(receipt);
    draw();
  }

  function trouble(message) { text($("trouble"), message); }

  function cast() {
    const body = { ballot_id: uuid() };
    if (def.kind === "score") body.scores = { ...scores }; else body.choices = [...picked];
    ballot = { body, round: def.round, state: "sending" };
    store.set(ballot);
    draw();
    deliver(ballot);
  }

  function react(o, button) {
    button.classList.remove("sent");
    void button.offsetWidth; // so that the animation starts again
    button.classList.add("sent");
    deliver({ body: { ballot_id: uuid(), choices: [o.id] }, round: def.round, state: "sending" });
  }

  function tap(o) {
    if (picked.has(o.id)) picked.delete(o.id);
    else {
      if (def.max_choices === 1) picked.clear();
      if (picked.size < def.max_choices) picked.add(o.id);
    }
    trouble("");
    draw();
  }

  function buttons() {
    const key = JSON.stringify([def.round, def.kind, def.options, def.score_min, def.score_max]);
    if (key === drawn) return;
    drawn = key;
    picked = new Set([...picked].filter(id => def.options.some(o => o.id === id)));
    const box = $("options");
    box.replaceChildren();
    box.classList.toggle("reacts", def.kind === "reaction");
    def.options.forEach((o, i) => box.append(def.kind === "score" ? scorer(o, i) : button(o, i)));
  }

  function face(e, o, i) {
    e.style.setProperty("--color", colour(o, i));
    e.dataset.id = o.id;
    if (o.image) { const img = make("img"); img.alt = ""; img.src = o.image; img.onerror = () => img.remove(); e.append(img); }
    e.append(make("span", "name", o.label));
    return e;
  }

  function button(o, i) {
    const b = face(make("button", "option"), o, i);
    b.type = "button";
    if (def.kind === "reaction") { b.onclick = () => react(o, b); return b; }
    b.append(make("span", "tick", "✓"));
    b.onclick = () => tap(o);
    return b;
  }

  function scorer(o, i) {
    const e = face(make("label", "option scored"), o, i);
    const out = make("output", "", "–");
    const input = make("input");
    Object.assign(input, { type: "range", min: def.score_min, max: def.score_max, step: 1, value: Math.round((def.score_min + def.score_max) / 2) });
    input.setAttribute("aria-label", o.label);
    const set = () => {
      if (!(o.id in scores) && Object.keys(scores).length >= def.max_choices) { trouble(words.pickMany(def.max_choices)); return; }
      scores[o.id] = Number(input.value); text(out, input.value); draw();
    };
    input.oninput = set;
    input.onclick = set;
    e.append(out, input);
    return e;
  }

  function left() {
    if (!def || def.phase !== "open" || !def.closes_at) return "";
    const s = Math.max(0, Math.round((Date.parse(def.closes_at) - Date.now() - skew) / 1000));
    return s > 5999 ? "" : Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
  }

  function draw() {
    if (!def) return;
    text($("question"), def.question);
    document.title = def.question;
    const chip = $("chip");
    chip.hidden = false;
    chip.className = "chip " + def.phase;
    const rest = left();
    text(chip, def.phase === "open" && rest ? rest : words[def.phase]);
    const over = def.phase === "closed" || def.phase === "verified";
    const voted = ballot && ballot.state === "in" && def.kind !== "reaction";
    const sending = ballot && ballot.state === "sending";
    const voting = !voted && (def.phase === "open" || sending);
    page.dataset.state = voted ? "voted" : sending ? "sending" : over ? "closed" : def.phase;

    buttons();
    $("options").hidden = $("dock").hidden = !voting;
    $("dock").hidden = !voting || def.kind === "reaction" && !$("trouble").textContent;
    $("send").hidden = def.kind === "reaction";
    text($("hint"), !voting ? "" : def.kind === "score" ? words.score : def.kind === "reaction" ? words.react : def.max_choices > 1 ? words.pickMany(def.max_choices) : words.pick);
    for (const b of $("options").querySelectorAll("button.option")) {
      if (def.kind !== "reaction") b.setAttribute("aria-pressed", String(picked.has(b.dataset.id)));
      b.disabled = Boolean(sending) || def.phase !== "open";
    }
    for (const e of $("options").querySelectorAll(".scored")) e.classList.toggle("unset", !(e.dataset.id in scores));
    const chosen = def.kind === "score" ? Object.keys(scores).length : picked.size;
    const send = $("send");
    send.disabled = Boolean(sending) || chosen < Math.max(1, def.min_choices) || chosen > def.max_choices;
    send.classList.toggle("busy", Boolean(sending));
    const one = def.options.find(o => picked.has(o.id));
    text(send, sending ? words.sending : def.kind === "score" ? words.send : picked.size === 1 && one ? words.voteFor(one.label_short || one.label) : words.vote);

    const card = $("card");
    card.hidden = voting;
    card.classList.toggle("done", Boolean(voted));
    text($("mark"), voted ? "✓" : "");
    $("check").hidden = !(voted && ballot.receipt);
    text($("choice"), voted ? chosenLabels() : "");
    if (voted) say(words.voted, words.votedSub);
    else if (over) say(words.closedT, ballot && ballot.state === "late" ? words.lateSub : words.closedSub);
    else if (def.phase === "standby") say(words.soon, words.soonSub);
    else say(words.pausedT, words.pausedSub);
    bars(voting);
  }

  function say(title, detail) {
    text($("state"), title);
    if (!$("detail").dataset.kept) text($("detail"), detail);
  }

  function chosenLabels() {
    const label = id => (def.options.find(o => o.id === id) || { label: id }).label;
    const b = ballot.body;
    return b.scores ? Object.entries(b.scores).map(([id, n]) => label(id) + " " + n).join(" · ") : b.choices.map(label).join(" · ");
  }

  function bars(voting) {
    const box = $("bars");
    const results = def.results;
    box.hidden = voting || !results || !results.totals.votes;
    if (box.hidden) return;
    results.options.forEach((o, i) => {
      let e = box.children[i];
      if (!e) {
        e = make("div", "bar");
        const line = make("div", "line");
        line.append(make("span", "name"), make("span", "pct"));
        const track = make("div", "track");
        track.append(make("div", "fill"));
        e.append(line, track);
        box.append(e);
      }
      text(e.querySelector(".name"), o.label);
      text(e.querySelector(".pct"), "mean" in o ? o.mean.toLocaleString(undefined, { maximumFractionDigits: 1 }) : o.pct_text);
      e.style.setProperty("--color", colour(def.options[i] || {}, i));
      e.querySelector(".fill").style.width = Math.min(100, o.pct) + "%";
    });
    while (box.children.length > results.options.length) box.lastChild.remove();
  }

  // take puts a definition on the page. A new round forgets what was chosen.
  function take(next, number) {
    if (number && number < seq) return;
    seq = number || seq;
    const first = !def || def.round !== next.round;
    def = next;
    if (next.server_time) skew = Date.parse(next.server_time) - Date.now();
    if (first) {
      picked.clear(); scores = {};
      delete $("detail").dataset.kept;
      ballot = def.kind === "reaction" ? null : store.get();
      if (ballot && ballot.state === "sending") deliver(ballot);
      if (ballot && ballot.state === "in" && ballot.receipt) listen(ballot.receipt);
    }
    draw();
  }

  async function refresh() {
    const receipt = ballot && ballot.receipt ? "?receipt=" + encodeURIComponent(ballot.receipt) : "";
    const { status, body } = await ask(base + receipt);
    if (status === 200) { take(body, 0); return true; }
    if (status === 404 && body && body.code === "poll-not-found") { missing(); return true; }
    if (!def) { $("card").hidden = false; say(words.offline, words.offlineSub); page.dataset.state = "offline"; }
    return false;
  }

  // listen follows the poll by events, and by asking where events do not get
  // through.
  let listening = "";
  function listen(receipt) {
    const url = base + "/events" + (receipt ? "?receipt=" + encodeURIComponent(receipt) : "");
    if (stream && url === listening) return;
    if (stream) stream.close();
    listening = url;
    seq = 0;
    const mine = stream = new EventSource(url);
    for (const name of ["snapshot", "phase", "results"]) {
      mine.addEventListener(name, e => { if (mine === stream) take(JSON.parse(e.data), Number(e.lastEventId)); });
    }
    mine.onerror = () => {
      if (mine !== stream || mine.readyState !== EventSource.CLOSED) return;
      stream = null;
      setTimeout(() => { if (!stream) listen(receipt); }, 5000);
    };
  }

  function missing() {
    page.dataset.state = "missing";
    $("options").hidden = $("dock").hidden = true;
    $("card").hidden = false;
    text($("question"), "");
    say(words.missing, words.missingSub);
  }

  $("send").onclick = cast;
  text($("check"), words.check);
  $("check").onclick = async () => {
    const { status, body } = await ask("/v1/receipts/" + encodeURIComponent(ballot.receipt));
    $("detail").dataset.kept = "1";
    text($("detail"), status === 200 ? words.yours + ": " + words.state[body.state] : words.offline);
  };
  const rehearsal = $("rehearsal");
  if (rehearsal) text(rehearsal, words.rehearsal);
  setInterval(draw, 1000);

  if (page.dataset.found !== "true") { missing(); return; }
  (async () => {
    for (let wait = 500; !await refresh(); wait = Math.min(wait * 2, 10000)) await sleep(wait);
    if (page.dataset.state !== "missing") listen(ballot && ballot.receipt);
  })();
  setInterval(() => { if (!stream || stream.readyState !== EventSource.OPEN) refresh(); }, 5000);
})();
