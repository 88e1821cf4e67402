// data: see anomaly_list() in anomalies.py

const evidenceTable = (a) => html`<table><thead><tr><th scope="col">metric</th><th scope="col">actual</th>
  <th scope="col">typical</th><th scope="col">expected</th><th scope="col">share</th></tr></thead><tbody>${a.evidence.map((e) => html`
  <tr><th scope="row">${e.metric}</th>
    <td class="actual" title="${e.direction === "up" ? "above" : "below"} typical">${e.direction === "up" ? "▲" : "▼"} ${e.actual}</td>
    <td>${e.typical}</td><td>${e.expected}</td>
    <td class="part"><i style="width:${Math.round(e.share * 0.4)}px"></i>${e.share} %</td></tr>`)}</tbody></table>
  <p class="fine">at its worst ${a.peak} · score ${a.score}, alarm from 1 · found by ${a.detector}</p>`

const anomalyCard = (a, d, first) => html`<li class="anomaly panel" data-key="${a.key}" data-severity="${a.severity}"
    data-open="${a.open}" ${a.key === d.marked ? html`data-marked="true"` : ""}>
  <div class="top">${badge(a.severity)}${!d.with_service ? "" : d.link === null
    ? html`<button class="service" type="button" data-say="${say({service: a.service, view: "health"})}">${a.service}</button>`
    : html`<a class="service" href="${d.link}${encodeURIComponent(a.service)}" title="open ${a.service}"
        data-say="${say({service: a.service, view: "health"})}">${a.service}</a>`}
    <b class="time">${a.lasted}</b></div>
  <p class="message">${a.message}</p>
  <div class="tags">${a.metrics.slice(0, 5).map((m) => html`<span class="tag">${m}</span>`)}${
    a.metrics.length > 5 ? html`<span class="tag">+${a.metrics.length - 5}</span>` : ""}</div>
  <details ${first ? html`open` : ""}><summary>since ${a.since}<span title="1 is the alarm line">score ${a.score}</span>
    <span class="fold">evidence</span></summary><div class="evidence">${evidenceTable(a)}</div></details></li>`

const listPage = (d) => html`
  ${d.title ? html`<h2 class="title">${d.title}</h2>` : ""}
  ${d.items.length ? html`<ol class="list">${d.items.map((a, i) => anomalyCard(a, d, !d.with_service && i === 0))}</ol>`
    : html`<div class="${d.with_service ? "empty" : "none panel"}" role="status"><h2>${d.empty.title}</h2>${d.empty.lines.map((l) =>
        html`<p>${l}</p>`)}${d.empty.reset ? html`<button class="chip" type="button" data-say="${say({severities: [],
        radar_service: "", metric: ""})}">Remove the filters</button>` : ""}</div>`}
  ${d.left_out ? html`<p class="fine">${d.left_out} more are left out: narrow the filters to see them.</p>` : ""}`

function render({model, el}) {
  followLab(el, model)
  let marked = ""
  const paint = () => {
    draw(el, listPage(model.data))
    arrived("main")
    if (model.data.marked && model.data.marked !== marked)
      el.querySelector("[data-marked]")?.scrollIntoView({block: "nearest", behavior: "smooth"})
    marked = model.data.marked
  }
  listen(el, model)
  model.on("data", paint)
  paint()
}
