// data: see service_head() in drilldown.py

const servicePage = (d) => html`<div class="head" data-band="${d.band}">
  ${d.link === null ? html`<button class="back" type="button" data-say="${say({service: ""})}" title="All services (Esc)">← All services</button>`
    : html`<a class="back" href="?" data-say="${say({service: ""})}" title="All services (Esc)">← All services</a>`}
  ${ring(d.score, d.band)}
  <div class="names"><h1>${d.name}</h1><small>${d.facts}</small></div>
  <p class="state"><span class="band"><i class="dot"></i>${d.band}</span>${d.note}</p>
  <div class="right">
    ${d.zoomed ? html`<button class="chip" type="button" data-say="${say({unzoom: true})}">${d.zoomed} <b>×</b><span class="hidden">reset the zoom</span></button>` : ""}
    <div class="segments" role="group" aria-label="Time range">${d.spans.map((s) => html`<button type="button"
      aria-pressed="${s === d.span}" data-say="${say({span: s})}">${s}</button>`)}</div></div></div>
  ${d.error ? html`<p class="error" role="alert">${d.error}</p>` : ""}
  ${d.links.length ? html`<p class="links" aria-label="More of it elsewhere">${d.links.map((l) => html`<a class="chip" href="${l.url}" target="_blank"
    rel="noopener noreferrer">${l.title}</a>`)}</p>` : ""}
  ${d.known ? html`<div class="legend"><span><i class="line"></i>actual</span><span><i class="dash"></i>typical</span>
    <span><i class="expected"></i>expected range</span>${d.summarised ? html`<span><i class="envelope"></i>lowest – highest in ${d.summarised}</span>` : ""}
    ${d.changed ? html`<span><i class="flag"></i>change</span>` : ""}
    ${d.silenced ? html`<span><i class="quiet"></i>silenced</span>` : ""}
    ${d.severities.map((s) => html`<span data-severity="${s}"><i class="strip"></i>${s} anomaly</span>`)}
    <span class="hint">${d.loading ? "reading …" : "drag over a chart or the strip to zoom, double-click to go back"}</span></div>` : ""}`

function render({model, el}) {
  followLab(el, model)
  const paint = () => {
    draw(el, servicePage(model.data))
    const box = boxOf(el)
    putAway(box, model.data.away)
    const split = box.shadowRoot.querySelector(".split")
    if (split) putAway(split, !model.data.known)
    const charts = split?.shadowRoot.querySelector(".charts")
    charts?.classList.toggle("stale", !model.data.charts)
    charts?.classList.toggle("blank", !model.data.drawn)
    arrived("main")
  }
  listen(el, model)
  model.on("data", paint)
  paint()
}
