// A topic's overlay: one snapshot, then changes, as bars or as a cloud of words.
// Query: look=bars or cloud, by=hashtag, country, sentiment …, window=30m, top=N,
// place=right, top, full, title=0, votes=0, unknown=1 for the part of which nothing
// is known.
"use strict";
(() => {
  const board = document.getElementById("board");
  const list = document.getElementById("options");
  const cloud = document.getElementById("cloud");
  const query = new URLSearchParams(location.search);
  const words = wordsFor(query.get("locale"), board.dataset.locale);
  const cloudy = query.get("look") === "cloud";
  const top = Math.min(Math.max(parseInt(query.get("top"), 10) || (cloudy ? 40 : 6), 1), 100);
  const palette = ["#38bdf8", "#f472b6", "#a78bfa", "#34d399", "#fbbf24", "#fb7185", "#60a5fa", "#4ade80"];
  const rows = new Map();
  let shown = 0;

  for (const place of (query.get("place") || "").split(",")) {
    if (["right", "top", "full"].includes(place)) document.body.classList.add(place);
  }
  document.getElementById("rehearsal").textContent = words.rehearsal;
  if (query.get("title") === "0") document.getElementById("question").style.visibility = "hidden";

  const text = (e, value) => { if (e.textContent !== value) e.textContent = value; };
  const make = (tag, name) => {
    const e = document.createElement(tag);
    if (name) e.className = name;
    return e;
  };
  const moods = { pos: "#34d399", neu: "#94a3b8", neg: "#fb7185" };
  const unknown = ["", "und", "unknown"];

  // The same part has the same colour everywhere, unless another one here has it.
  const colors = new Map();
  const colorOf = (key, by) => {
    if (by === "sentiment" && moods[key]) return moods[key];
    if (colors.has(key)) return colors.get(key);
    let h = 0;
    for (const c of key) h = (h * 31 + c.codePointAt(0)) >>> 0;
    const taken = new Set([...rows.keys()].map(k => colors.get(k)));
    let color = palette[h % palette.length];
    for (let i = 0; taken.has(color) && i < palette.length; i++) color = palette[(h + i) % palette.length];
    colors.set(key, color);
    return color;
  };

  function row(key, by) {
    if (rows.has(key)) return rows.get(key);
    const r = { li: make("li"), line: make("div", "line"), label: make("span", "label"), votes: make("span", "votes"), pct: make("span", "pct"), track: make("div", "track"), fill: make("div", "fill") };
    r.line.append(r.label, r.votes, r.pct);
    r.track.append(r.fill);
    r.li.append(r.line, r.track);
    r.fill.style.setProperty("--color", colorOf(key, by));
    list.append(r.li);
    rows.set(key, r);
    return r;
  }

  function bars(topic) {
    const gone = new Set(rows.keys());
    const height = topic.rows.length > 6 ? 5.9 : 6.9;
    const most = Math.max(...topic.rows.map(part => part.count));
    list.style.height = `calc(${(topic.rows.length * height).toFixed(2)} * var(--u))`;
    topic.rows.forEach((part, i) => {
      gone.delete(part.key);
      const r = row(part.key, topic.by);
      r.li.style.transform = `translateY(calc(${(i * height).toFixed(2)} * var(--u)))`;
      r.li.dir = part.dir || "auto";
      text(r.label, part.label);
      text(r.pct, part.pct_text);
      text(r.votes, query.get("votes") === "0" ? "" : part.count_text);
      r.label.classList.toggle("rising", part.before > 0 && part.change_pct >= 50);
      r.fill.style.width = (part.count / most * 100).toFixed(3) + "%";
    });
    for (const key of gone) { rows.get(key).li.remove(); rows.delete(key); colors.delete(key); }
  }

  // Words are as tall as they are common, all of them smaller when they would not
  // fit on the board.
  function spread(topic) {
    const gone = new Set(rows.keys());
    const most = Math.max(...topic.rows.map(part => part.count));
    const size = part => 2 + 4.6 * part.count / most;
    const area = topic.rows.reduce((sum, part) => sum + size(part) ** 2 * 0.7 * part.label.length, 0);
    const room = Math.min(1, Math.sqrt(2600 / area));
    topic.rows.forEach(part => {
      gone.delete(part.key);
      let e = rows.get(part.key);
      if (!e) {
        e = make("span", part.label.startsWith("#") ? "tag" : "");
        if (!e.className) e.style.color = colorOf(part.key, topic.by);
        cloud.append(e);
        rows.set(part.key, e);
      }
      text(e, part.label);
      e.style.fontSize = `calc(${(room * size(part)).toFixed(2)} * var(--u))`;
    });
    for (const key of gone) { rows.get(key).remove(); rows.delete(key); colors.delete(key); }
  }

  const lately = minutes => minutes >= 120 && minutes % 60 === 0 ? words.last(minutes / 60, "h") : words.last(minutes, "min");

  function draw(topic) {
    if (topic.seq < shown) return;
    shown = topic.seq;
    const said = ["hashtag", "word", "link", "author"].includes(topic.by); // whatever it is, it is no unknown part
    const known = part => said || query.get("unknown") === "1" || !unknown.includes(part.key);
    topic.rows = topic.rows.filter(part => part.count > 0 && known(part)).slice(0, top);
    const none = document.getElementById("none");
    none.hidden = topic.rows.length > 0;
    cloud.hidden = !cloudy || !none.hidden;
    list.hidden = cloudy;
    board.classList.toggle("capital", !said);
    text(none, words.nothing);
    text(document.getElementById("question"), topic.title);
    text(document.getElementById("total"), words.posts(topic.posts_text));
    text(document.getElementById("note"), topic.stale ? words.stale : lately(topic.minutes));
    (cloudy ? spread : bars)(topic);
    if (board.hidden) {
      board.hidden = false;
      requestAnimationFrame(() => requestAnimationFrame(() => board.classList.add("on")));
    }
    document.documentElement.dataset.seq = String(topic.seq);
  }

  // EventSource reconnects by itself, except when an answer was no stream: then
  // this does, for hours.
  const ask = new URLSearchParams({ plain: "1", top: String(Math.min(top + 1, 100)) }); // one may be unknown
  for (const name of ["by", "window", "locale"]) if (query.get(name)) ask.set(name, query.get(name));
  if (cloudy && !query.get("by")) ask.set("by", "word");
  let pause = 500;
  function connect() {
    const events = new EventSource("events?" + ask);
    const take = e => { pause = 500; draw(JSON.parse(e.data)); };
    for (const name of ["snapshot", "stats"]) events.addEventListener(name, take);
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, 15000);
    });
  }
  connect();
})();
