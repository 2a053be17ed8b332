// The overlay: one snapshot, then changes, drawn as bars. Query: place=left,
// right, top, full (several with commas), sort=rank, top=N, votes=0, title=0.
"use strict";
(() => {
  const board = document.getElementById("board");
  const list = document.getElementById("options");
  const query = new URLSearchParams(location.search);
  const words = wordsFor(query.get("locale"), board.dataset.locale);
  const rows = new Map();
  const palette = ["#38bdf8", "#f472b6", "#a78bfa", "#34d399", "#fbbf24", "#fb7185", "#60a5fa", "#4ade80"];
  let shown = 0;

  for (const place of (query.get("place") || "").split(",")) {
    if (["right", "top", "full"].includes(place)) document.body.classList.add(place);
  }
  document.getElementById("rehearsal").textContent = words.rehearsal;
  if (query.get("title") === "0") document.getElementById("question").style.visibility = "hidden";

  const text = (id, value) => {
    const e = typeof id === "string" ? document.getElementById(id) : id;
    if (e.textContent !== value) e.textContent = value;
  };
  const make = (tag, name) => {
    const e = document.createElement(tag);
    if (name) e.className = name;
    return e;
  };

  function row(id) {
    if (rows.has(id)) return rows.get(id);
    const r = { li: make("li"), line: make("div", "line"), label: make("span", "label"), votes: make("span", "votes"), pct: make("span", "pct"), track: make("div", "track"), fill: make("div", "fill") };
    r.line.append(r.label, r.votes, r.pct);
    r.track.append(r.fill);
    r.li.append(r.line, r.track);
    list.append(r.li);
    rows.set(id, r);
    return r;
  }

  function picture(r, url) {
    if (!url) { if (r.image) { r.image.remove(); r.image = null; } return; }
    if (!r.image) { r.image = make("img"); r.image.alt = ""; r.image.onerror = () => { r.image.remove(); r.image = null; }; r.line.prepend(r.image); }
    if (r.image.getAttribute("src") !== url) r.image.src = url;
  }

  function draw(poll) {
    if (poll.seq < shown) return;
    shown = poll.seq;
    const figures = poll.reveal === "shown";
    const final = poll.phase === "closed" || poll.phase === "verified";
    const score = poll.options.some(o => o.mean_text && o.mean);
    text("question", poll.question);
    text("chip", words[poll.phase] || poll.phase);
    document.getElementById("chip").className = "chip " + poll.phase;
    text("total", figures ? words.votes(poll.total_votes_text) : "");
    text("note", poll.stale ? words.stale : "");
    board.classList.toggle("hidden-figures", !figures);

    let options = poll.options.slice();
    if (query.get("sort") === "rank" && figures) options.sort((a, b) => a.unique_rank - b.unique_rank);
    const top = parseInt(query.get("top"), 10);
    if (top > 0) options = options.slice(0, top);
    const gone = new Set(rows.keys());
    // Rows stand on their own, so that they can glide when ranks change.
    const height = options.length > 6 ? 5.9 : 6.9;
    list.style.height = `calc(${(options.length * height).toFixed(2)} * var(--u))`;
    options.forEach((o, i) => {
      gone.delete(o.option_id);
      const r = row(o.option_id);
      r.li.style.transform = `translateY(calc(${(i * height).toFixed(2)} * var(--u)))`;
      r.li.dir = o.dir || "auto";
      text(r.label, o.label);
      text(r.pct, score ? o.mean_text : o.pct_text);
      text(r.votes, query.get("votes") === "0" ? "" : o.votes_text);
      picture(r, o.image);
      r.li.classList.toggle("winner", figures && final && o.leader);
      r.fill.style.setProperty("--color", /^#[0-9a-f]{3,8}$/i.test(o.color) ? o.color : palette[(o.slot - 1) % palette.length]);
      const share = figures ? (score ? o.fraction : o.bar) : 0;
      r.fill.style.width = (share * 100).toFixed(3) + "%";
    });
    for (const id of gone) { rows.get(id).li.remove(); rows.delete(id); }
    if (board.hidden) {
      board.hidden = false;
      requestAnimationFrame(() => requestAnimationFrame(() => board.classList.add("on")));
    }
    document.documentElement.dataset.seq = String(poll.seq);
  }

  // EventSource reconnects by itself, except when an answer was no stream: then
  // this does, for hours.
  let pause = 500;
  function connect() {
    const events = new EventSource("events?plain=1");
    const take = e => { pause = 500; draw(JSON.parse(e.data)); };
    for (const name of ["snapshot", "phase", "results"]) events.addEventListener(name, take);
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, 15000);
    });
  }
  connect();
})();
