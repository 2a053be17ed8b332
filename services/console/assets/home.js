// Behind the sign-in: every poll, and the feeds. The token is kept for the tab.
"use strict";
(() => {
  const $ = id => document.getElementById(id);
  const make = (tag, name, value) => { const e = document.createElement(tag); if (name) e.className = name; if (value) e.textContent = value; return e; };
  let token = sessionStorage.getItem("clamor.token");

  async function call(path, options = {}) {
    const res = await fetch(path, { cache: "no-store", ...options, headers: { Authorization: "Bearer " + token, ...(options.headers || {}) } });
    const body = res.status === 204 ? null : await res.json();
    if (!res.ok) throw Object.assign(new Error(body.detail || body.title), { code: body.code });
    return body;
  }

  async function all(path) {
    const items = [];
    for (let after = ""; ;) {
      const page = await call(path + "?limit=500" + (after ? "&after=" + encodeURIComponent(after) : ""));
      items.push(...page.items);
      if (!page.next) return items;
      after = page.next;
    }
  }

  function card(p) {
    const e = make("article", "poll");
    const head = make("p");
    head.append(make("span", "chip " + p.phase, p.phase), make("span", "id", p.id + " · round " + p.round));
    const links = make("p", "links");
    for (const [href, name] of [["/p/" + p.id, "Vote page"], ["/v1/polls/" + p.id, "Definition"]]) {
      const a = make("a", "", name);
      a.href = href;
      links.append(a);
    }
    e.append(head, make("h2", "", p.question), make("p", "answers", p.options.map(o => o.label).join(" · ")), links);
    if (p.phase !== "standby") watch(e, () => results(p));
    return e;
  }

  // Figures move under those cards that are not done with.
  const pause = 3000, most = 40;
  let watched = [];
  let turn = 0;

  function watch(e, read) {
    const box = make("div", "figures");
    box.append(make("p", "answers", "…"));
    e.querySelector(".answers").after(box);
    if (watched.length < most) watched.push({ box, read });
  }

  async function follow() {
    const mine = ++turn;
    while (mine === turn && token) {
      for (const { box, read } of document.hidden ? [] : watched) {
        try { box.replaceChildren(...await read()); }
        catch { box.replaceChildren(make("p", "answers", "not counted yet")); }
        if (mine !== turn) return;
      }
      await new Promise(done => setTimeout(done, pause));
    }
  }

  function bar(label, value, share, color) {
    const e = make("div", "bar");
    const track = make("div", "track"), fill = make("div", "fill");
    fill.style.width = (share * 100).toFixed(2) + "%";
    if (/^#[0-9a-f]{3,8}$/i.test(color || "")) fill.style.background = color;
    track.append(fill);
    e.append(make("span", "name", label), make("span", "value", value), track);
    return e;
  }

  const counted = n => n.toLocaleString("en");
  const percent = share => Math.round(share * 100) + "%";

  async function results(p) {
    const r = await call("/v1/polls/" + p.id + "/results");
    const most = Math.max(1, ...r.options.map(o => o.votes));
    const colors = new Map(p.options.map(o => [o.id, o.color]));
    return [
      ...r.options.slice(0, 6).map(o => bar(o.label, o.pct_text, o.votes / most, colors.get(o.id))),
      make("p", "sum", counted(r.totals.votes) + (r.totals.votes === 1 ? " vote · " : " votes · ") + r.status + (r.stale ? " · updating…" : "")),
    ];
  }

  // The last half hour of a topic, without a feed's secret.
  async function heard(t) {
    const s = await call("/v1/topics/" + t.id + "/stats?by=hashtag&top=5&compare=previous");
    const { posts, authors, sentiment } = s.totals;
    const parts = s.parts || [];
    const most = Math.max(1, ...parts.map(p => p.n));
    const out = parts.map(p => bar(p.label, counted(p.n), p.n / most));
    if (sentiment.judged > 0) {
      out.push(make("p", "sum", "≈ " + percent(sentiment.positive.share) + " positive · " + percent(sentiment.neutral.share) + " neutral · " + percent(sentiment.negative.share) + " negative"));
    }
    if (!posts) return [make("p", "sum", "Nothing said in the last 30 minutes." + (s.stale ? " · updating…" : ""))];
    const change = s.compare.posts;
    const against = change.before > 0 ? " · " + (change.change > 0 ? "+" : "") + Math.round(change.change_pct) + "% on the half hour before" : "";
    out.push(make("p", "sum", counted(posts) + " posts by " + counted(authors.authors) + " people in 30 minutes" + against + (s.stale ? " · updating…" : "")));
    return out;
  }

  function topic(t) {
    const e = make("article", "poll topic");
    const head = make("p");
    head.append(make("span", "chip", "topic"), make("span", "id", t.id));
    const rule = make("p", "answers");
    rule.append(make("code", "", t.rule));
    e.append(head, make("h2", "", t.title), rule);
    watch(e, () => heard(t));
    return e;
  }

  function draw(shows, polls, topics, destinations) {
    const main = $("shows");
    main.replaceChildren();
    watched = [];
    $("make-show").replaceChildren();
    for (const show of shows) {
      const section = make("section", "show");
      const title = make("h1", "", show.title);
      if (show.rehearsal) title.append(make("span", "chip rehearsal", "Rehearsal"));
      const box = make("div", "polls");
      box.append(...polls.filter(p => p.show === show.id).map(card));
      box.append(...topics.filter(t => t.show === show.id).map(topic));
      if (!box.children.length) box.append(make("p", "empty", "No poll yet."));
      section.append(title, box);
      main.append(section);
      $("make-show").append(new Option(show.title, show.id));
    }
    if (!shows.length) main.append(make("p", "empty", "No show yet."));
    $("destinations").replaceChildren(...destinations.map(d => {
      const e = make("div", "destination");
      const revoke = make("button", "quiet", "Revoke");
      revoke.type = "button";
      revoke.onclick = async () => { if (confirm("Revoke " + (d.name || d.id) + "? Its feeds stop at once.")) { await call("/v1/destinations/" + d.id, { method: "DELETE" }); load(); } };
      e.append(make("b", "", d.name || d.id), make("span", "id", d.show + " · " + d.audience), revoke);
      return e;
    }));
  }

  function showMade(d) {
    const box = $("made");
    box.hidden = false;
    box.replaceChildren(make("h2", "", "Keep these addresses: they are not shown again"));
    const lists = { "Everything": { list: d.urls.list }, ...d.urls.polls, ...d.urls.topics };
    for (const [poll, urls] of Object.entries(lists)) {
      const ul = make("ul");
      for (const [format, url] of Object.entries(urls)) {
        const li = make("li");
        const a = make("a", "", url);
        a.href = url;
        li.append(make("span", "name", format), a);
        ul.append(li);
      }
      box.append(make("h2", "", poll), ul);
    }
  }

  async function load() {
    try {
      const [shows, polls, topics, destinations] = await Promise.all([all("/v1/shows"), all("/v1/polls"), all("/v1/topics"), all("/v1/destinations")]);
      sessionStorage.setItem("clamor.token", token);
      $("sign").hidden = true;
      $("who").hidden = $("feeds").hidden = false;
      $("who").firstElementChild.textContent = "Signed in";
      draw(shows, polls, topics, destinations);
      follow();
    } catch (err) {
      sessionStorage.removeItem("clamor.token");
      token = null;
      $("token").setCustomValidity(err.message);
      $("token").reportValidity();
    }
  }

  $("sign").onsubmit = e => { e.preventDefault(); token = $("token").value.trim(); load(); };
  $("token").oninput = () => $("token").setCustomValidity("");
  $("out").onclick = () => { sessionStorage.removeItem("clamor.token"); location.reload(); };
  $("make").onsubmit = async e => {
    e.preventDefault();
    try {
      showMade(await call("/v1/destinations", { method: "POST", body: JSON.stringify({ show: $("make-show").value, name: $("make-name").value, audience: $("make-audience").value }) }));
      load();
    } catch (err) { alert(err.message); }
  };
  if (token) load();
})();
