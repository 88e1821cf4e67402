// data: {away, toolbar, shown: [names], empty: {title, lines, reset} | null, link}; cards: see card() in cards.py

const sparkline = (trend) => {
  const known = trend.values.filter((v) => v !== null)
  const top = Math.max(...known, 1e-12) * 1.08
  const x = (i) => (100 * i) / Math.max(1, trend.values.length - 1)
  const y = (v) => 31 - (29 * v) / top
  const runs = []
  trend.values.forEach((v, i) => {
    if (v === null) return
    const point = `${x(i).toFixed(2)} ${y(v).toFixed(2)}`
    if (i > 0 && trend.values[i - 1] !== null) runs[runs.length - 1].push([i, point])
    else runs.push([[i, point]])
  })
  const line = runs.map((run) => `M${run.map(([, p]) => p).join("L")}${run.length === 1 ? "h.01" : ""}`).join("")
  const area = runs.map((run) =>
    `M${x(run[0][0]).toFixed(2)} 32L${run.map(([, p]) => p).join("L")}L${x(run[run.length - 1][0]).toFixed(2)} 32Z`).join("")
  return html`<svg class="spark" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
    ${trend.marks.map((m) => html`<rect data-severity="${m.severity}" x="${(100 * m.from).toFixed(2)}" y="0"
      width="${(100 * (1 - m.from)).toFixed(2)}" height="32"/>`)}
    <path class="area" d="${area}"/><path class="line" d="${line}" vector-effect="non-scaling-stroke"/></svg>`
}

const tile = (v) => html`<div class="tile" title="${v.title}" ${v.severity ? html`data-severity="${v.severity}"` : ""}>
  <dt>${v.severity ? html`<i>${v.direction === "up" ? "▲" : "▼"}</i>` : ""}${v.label}</dt><dd>${v.value}${
    v.unit ? html`<small>${v.unit}</small>` : ""}</dd></div>`

const foot = (c) => {
  if (c.worst) return html`<span class="foot"><span class="text" data-severity="${c.worst.severity}" title="${c.worst.severity}: ${
    c.worst.message}">${shape(c.worst.severity)} ${c.worst.message}</span>${c.open > 1 ? html`<span class="more">+${c.open - 1}</span>` : ""}</span>`
  return html`<span class="foot quiet"><span class="text" title="${c.note || c.trend.peak}">${c.note || c.trend.peak}</span>${
    c.recent ? html`<span class="more">${c.recent}</span>` : ""}</span>`
}

const card = (c, link) => {
  const message = say({service: c.service, view: "health"})
  const inside = html`
    <span class="head">${ring(c.score, c.band)}
      <span class="names"><span class="first"><strong title="${c.service}">${c.name}</strong>${
        c.band === "healthy" ? "" : html`<span class="band">${c.band}</span>`}</span><small title="${c.facts}">${c.facts || " "}</small></span></span>
    <dl class="values">${c.values.map(tile)}</dl>
    <span class="trend" title="${c.trend.peak}">${sparkline(c.trend)}</span>
    ${foot(c)}`
  return link === null
    ? html`<button class="card" type="button" data-key="${c.service}" data-band="${c.band}" data-say="${message}"
        aria-label="${c.label}">${inside}</button>`
    : html`<a class="card" href="${link}${encodeURIComponent(c.service)}" data-key="${c.service}" data-band="${c.band}"
        data-say="${message}" aria-label="${c.label}">${inside}</a>`
}

// `code` in backquotes, the rest as it is.
const prose = (line) => line.split("`").map((part, i) => (i % 2 ? html`<code>${part}</code>` : html`${part}`))

const emptyState = (e) => html`<div class="empty" role="status"><h2>${e.title}</h2>${e.lines.map((l) => html`<p>${prose(l)}</p>`)}
  ${e.reset ? html`<button class="chip" data-say="${say({search: "", show: "all"})}">Show all services</button>` : ""}</div>`

const cardsPage = (data, cards) => {
  const byName = new Map(cards.map((c) => [c.service, c]))
  const shown = data.shown.map((name) => byName.get(name)).filter(Boolean)
  const bar = data.toolbar
  return html`
    <div class="toolbar" role="search">
      <label class="search"><span class="hidden">Search services</span>
        ${magnifier}
        <input type="search" placeholder="Search services, teams, tiers" value="${bar.search}" autocomplete="off" spellcheck="false">
        <kbd aria-hidden="true">/</kbd></label>
      <div class="chips" role="group" aria-label="Show">${bar.chips.map((c) => html`<button class="chip" type="button"
        data-band="${c.band}" aria-pressed="${c.key === bar.show}" data-say="${say({show: c.key === bar.show ? "all" : c.key})}">
        ${c.band ? html`<i class="dot"></i>` : ""}${c.key} <b>${c.count}</b></button>`)}</div>
      <label class="trends"><span>Last ${bar.hours} h of</span><select class="select">${bar.trends.map((t) => html`<option value="${t.key}" ${
        t.key === bar.trend ? html`selected` : ""}>${t.label}</option>`)}</select></label>
    </div>
    ${data.empty ? emptyState(data.empty) : html`<div class="grid" role="list" aria-label="Services, the worst first">${
      shown.map((c) => html`<div role="listitem" data-key="${c.service}">${card(c, data.link)}</div>`)}</div>`}`
}

function render({model, el}) {
  followLab(el, model)
  const paint = () => {
    draw(el, cardsPage(model.data, model.cards))
    const input = el.querySelector("input")
    if (input.getRootNode().activeElement !== input) input.value = model.data.toolbar.search
    el.querySelector("select").value = model.data.toolbar.trend
    putAway(el.getRootNode().host, model.data.away)
    arrived("main")
  }
  let waiting
  const search = (event) => {
    const input = event.target // after the event it is the component as a whole
    if (!input.matches("input")) return
    clearTimeout(waiting)
    waiting = setTimeout(() => model.send_msg({search: input.value}), 90)
  }
  el.addEventListener("input", search)
  el.addEventListener("change", (event) => {
    if (event.target.matches("select")) model.send_msg({trend: event.target.value})
  })
  onSlash(el, model)
  listen(el, model)
  model.on(["data", "cards"], paint)
  paint()
}
