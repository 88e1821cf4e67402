// data: see filters() in radar.py

const radarPage = (d) => html`
  <div class="severities" role="group" aria-label="Severity">${d.severities.map((s) => html`<button class="big panel" type="button"
    data-severity="${s.key}" aria-pressed="${s.on}" data-empty="${s.count === 0}" data-say="${say({severities: s.next})}">
    ${shape(s.key)}<b>${s.count}</b><span>${s.key}</span></button>`)}</div>
  <div class="row"><p class="summary" role="status">${d.summary}</p>
    <div class="right"><label><span>Service</span><select class="select" data-what="radar_service"><option value="">all services</option>${
      d.services.map((s) => html`<option value="${s.name}" ${s.name === d.service ? html`selected` : ""}>${s.name} (${s.count})</option>`)}</select></label>
    <div class="segments" role="group" aria-label="Time range">${d.spans.map((s) => html`<button type="button"
      aria-pressed="${s === d.span}" data-say="${say({radar_span: s})}">${s}</button>`)}</div></div></div>
  ${d.metrics.length ? html`<div class="chips" role="group" aria-label="Affected metric">${d.metrics.map((m) => html`<button class="chip" type="button"
    data-key="${m.key}" aria-pressed="${m.on}" data-say="${say({metric: m.on ? "" : m.key})}">${m.label} <b>${m.count}</b></button>`)}${
    d.filtered ? html`<button class="chip clear" type="button" data-key="clear" data-say="${say({severities: [], radar_service: "", metric: ""})}">Clear filters ×</button>` : ""}</div>` : ""}`

function render({model, el}) {
  followLab(el, model)
  const paint = () => {
    draw(el, radarPage(model.data))
    el.querySelector("select").value = model.data.service
    putAway(boxOf(el).shadowRoot.querySelector(".timeline"), !model.data.timeline)
    arrived("main")
  }
  el.addEventListener("change", (event) => model.send_msg({[event.target.dataset.what]: event.target.value}))
  listen(el, model)
  model.on("data", paint)
  paint()
}
