// data: see header() in header.py

const logo = html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
  <path class="dome" d="M5 19a11 11 0 0 1 22 0"/><path class="slit" d="M16 19 21.5 9.6"/>
  <path class="base" d="M3 19h26M6 24.5h4l2-3.4 3.4 6.4 3-8 2 5h5.6"/></svg>`

const icons = {
  refresh: html`<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M16 10a6 6 0 1 1-1.9-4.4M16 2.8v3.6h-3.6"/></svg>`,
  moon: html`<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z"/></svg>`,
  sun: html`<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="3.6"/><path d="M10 1.8v2M10 16.2v2M1.8 10h2M16.2 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M4.2 15.8l1.4-1.4M14.4 5.6l1.4-1.4"/></svg>`,
}

const span = (seconds) => {
  const s = Math.max(0, Math.round(seconds))
  if (s < 90) return `${s} s`
  if (s < 5400) return `${Math.round(s / 60)} min`
  return s < 129600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`
}

// `silence`: seconds since the server last sent something.
const headerPage = (d, silence) => {
  const late = d.age !== null && d.age + silence > Math.max(3 * d.interval, d.interval + 2 * d.refresh)
  const lost = silence > Math.max(3 * d.refresh, 15)
  return html`
  <div class="bar">
    <a class="product" href="?" data-say="${say({view: "health", service: ""})}">${logo}<span>${d.product}</span></a>
    <nav aria-label="Views">${d.tabs.map((t) => html`<a class="tab" href="?view=${t.view}"
      ${t.view === d.view ? html`aria-current="page"` : ""} data-say="${say({view: t.view, service: ""})}">${t.title}${
        t.view === "radar" && d.open ? html`<b class="count" title="open anomalies">${d.open}</b>` : ""}${
        t.view === "silences" && d.silenced ? html`<b class="count quiet" title="services that are silenced now">${d.silenced}</b>` : ""}</a>`)}</nav>
    ${d.services === null ? "" : html`<div class="fleet" role="group" aria-label="Services by health">
      <button class="stat total" type="button" data-say="${say({view: "health", service: "", show: "all", search: ""})}">
        <b>${d.services}</b>services</button>
      ${d.bands.filter((b) => b.count).map((b) => html`<button class="stat" type="button" data-key="${b.band}" data-band="${b.band}"
        data-say="${say({view: "health", service: "", show: b.band, search: ""})}"><i class="dot"></i><b>${b.count}</b>${b.band}</button>`)}
      <button class="stat" type="button" data-say="${say({view: "radar", service: ""})}"><b>${d.open}</b>open ${
        d.open === 1 ? "anomaly" : "anomalies"}</button></div>`}
    <div class="tools">
      <span class="fresh" data-late="${late}" title="newest sample: ${d.updated_on || "none"}; source: ${d.source.kind} ${d.source.name}">
        <span>${d.updated ? html`<b>${d.updated}</b> UTC, ${span(d.age + silence)} ago` : "no samples yet"}</span>
        <small>${d.source.kind === "prometheus" ? `Prometheus ${d.source.name}` : `source: ${d.source.name}`}</small></span>
      <button class="icon" type="button" data-do="refresh" aria-label="Refresh now" title="Refresh now">${icons.refresh}</button>
      <button class="icon" type="button" data-do="theme" aria-label="Switch to the ${d.dark ? "light" : "dark"} theme"
        title="Switch to the ${d.dark ? "light" : "dark"} theme">${d.dark ? icons.sun : icons.moon}</button>
    </div>
  </div>
  ${d.services ? html`<div class="share" aria-hidden="true">${d.bands.filter((b) => b.count).map((b) =>
    html`<i data-key="${b.band}" data-band="${b.band}" style="flex-grow:${b.count}"></i>`)}</div>` : html`<div class="share"></div>`}
  ${lost ? html`<div class="banner" data-key="lost" role="alert" data-failed="true"><p><strong>No news from the server for ${
    span(silence)}.</strong> What you see may be old. <a href="">Reload the page</a></p></div>` : ""}
  ${d.problems ? html`<details class="banner" data-key="problems" data-failed="${d.problems.failed}"><summary role="status"><strong>${
    d.problems.title}</strong><span class="first">${d.problems.lines[0].what}: ${d.problems.lines[0].error}</span><span class="all"></span></summary>
    <ul>${d.problems.lines.map((l) => html`<li><b>${l.what}</b> ${l.error}</li>`)}</ul></details>` : ""}`
}

function render({model, el}) {
  let heard = performance.now()
  let polls = model.data.polls
  const paint = () => draw(el, headerPage(model.data, (performance.now() - heard) / 1000))
  model.on("data", () => {
    if (model.data.polls !== polls) {
      heard = performance.now()
      polls = model.data.polls
      el.querySelector("[data-do=refresh]").classList.remove("busy")
    }
    paint()
  })
  el.addEventListener("click", (event) => {
    const what = event.target.closest("[data-do]")?.dataset.do
    if (what === "theme") model.send_msg({theme: model.data.dark ? "light" : "dark"})
    if (what === "refresh") {
      event.target.closest("button").classList.add("busy")
      model.send_msg({refresh: true})
    }
  })
  listen(el, model)
  const clock = setInterval(paint, 1000)
  model.on("lifecycle:remove", () => clearInterval(clock))
  paint()
  arrived("header")
}
