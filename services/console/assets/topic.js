// A topic's overlay: one snapshot, then changes, as bars or as a cloud of words.
// Query: look=bars or cloud, by=hashtag, country, sentiment …, window=30m, top=N,
// place=right, top, full, title=0, votes=0.
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
  const colorOf = key => {
    let h = 0;
    for (const c of key) h = (h * 31 + c.codePointAt(0)) >>> 0;
    return palette[h % palette.length];
  };

  function row(key) {
    if (rows.has(key)) return rows.get(key);
    const r = { li: make("li"), line: make("div", "line"), label: make("span", "label"), votes: make("span", "votes"), pct: make("span", "pct"), track: make("div", "track"), fill: make("div", "fill") };
    r.line.append(r.label, r.votes, r.pct);
    r.track.append(r.fill);
    r.li.append(r.line, r.track);
    r.fill.style.setProperty("--color", colorOf(key));
    list.append(r.li);
    rows.set(key, r);
    return r;
  }

  function bars(topic) {
    const gone = new Set(rows.keys());
    const height = topic.rows.length > 6 ? 5.9 : 6.9;
    list.style.height = `calc(${(topic.rows.length * height).toFixed(2)} * var(--u))`;
    topic.rows.forEach((part, i) => {
      gone.delete(part.key);
      const r = row(part.key);
      r.li.style.transform = `translateY(calc(${(i * height).toFixed(2)} * var(--u)))`;
      r.li.dir = part.dir || "auto";
      text(r.label, part.label);
      text(r.pct, part.pct_text);
      text(r.votes, query.get("votes") === "0" ? "" : part.count_text);
      r.label.classList.toggle("rising", part.trend === "up" && part.change_pct >= 50);
      r.fill.style.transform = `translateX(${(part.bar * 100 - 100 - (part.bar > 0 ? 0 : 1)).toFixed(3)}%)`;
    });
    for (const key of gone) { rows.get(key).li.remove(); rows.delete(key); }
  }

  function spread(topic) {
    const gone = new Set(rows.keys());
    topic.rows.forEach(part => {
      gone.delete(part.key);
      let e = rows.get(part.key);
      if (!e) {
        e = make("span", part.label.startsWith("#") ? "tag" : "");
        if (!e.className) e.style.color = colorOf(part.key);
        cloud.append(e);
        rows.set(part.key, e);
      }
      text(e, part.label);
      e.style.fontSize = `calc(${(1.6 + 5 * Math.sqrt(part.bar)).toFixed(2)} * var(--u))`;
    });
    for (const key of gone) { rows.get(key).remove(); rows.delete(key); }
  }

  function draw(topic) {
    if (topic.seq < shown) return;
    shown = topic.seq;
    topic.rows = topic.rows.filter(part => part.count > 0).slice(0, top);
    cloud.hidden = !cloudy;
    list.hidden = cloudy;
    text(document.getElementById("question"), topic.title);
    text(document.getElementById("total"), words.posts(topic.posts_text));
    text(document.getElementById("note"), topic.stale ? words.stale : "");
    (cloudy ? spread : bars)(topic);
    if (board.hidden) {
      board.hidden = false;
      requestAnimationFrame(() => requestAnimationFrame(() => board.classList.add("on")));
    }
    document.documentElement.dataset.seq = String(topic.seq);
  }

  // EventSource reconnects by itself, except when an answer was no stream: then
  // this does, for hours.
  const ask = new URLSearchParams({ plain: "1", top: String(top) });
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
