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
    return e;
  }

  // The last half hour of a topic, without a feed's secret.
  async function listen(e, t) {
    try {
      const stats = await call("/v1/topics/" + t.id + "/stats?by=hashtag&top=5&compare=previous");
      const change = stats.compare.posts.change;
      e.append(make("p", "answers", stats.totals.posts + " posts in 30 minutes (" + (change > 0 ? "+" : "") + change + ") · " + stats.totals.authors.authors + " people" + (stats.stale ? " · updating…" : "")));
      if (stats.parts) e.append(make("p", "answers", stats.parts.map(p => p.label + " " + p.n).join(" · ")));
    } catch { e.append(make("p", "answers", "not counted yet")); }
  }

  function topic(t) {
    const e = make("article", "poll topic");
    const head = make("p");
    head.append(make("span", "chip", "topic"), make("span", "id", t.id));
    e.append(head, make("h2", "", t.title), make("p", "answers", t.rule));
    listen(e, t);
    return e;
  }

  function draw(shows, polls, topics, destinations) {
    const main = $("shows");
    main.replaceChildren();
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
