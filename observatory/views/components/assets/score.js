// data: see score_table() in score.py

const tone = (value) => (value >= 0.85 ? "healthy" : value >= 0.6 ? "degraded" : value >= 0.4 ? "poor" : "critical")

const part = (p) => html`<tbody data-key="${p.name}" data-band="${p.value === null ? "unknown" : tone(p.value)}">
  <tr><th scope="row">${p.name}</th><td>${p.weight}</td>
    <td class="value">${p.value === null ? html`<span class="not">not judged</span>` :
      html`<span class="meter"><i style="width:${100 * p.value}%"></i></span>${p.value.toFixed(2)}`}</td>
    <td class="points"><b>${p.points}</b>${p.value === null ? "" : html` <small>/ ${p.best}</small>`}</td></tr>
  <tr class="why"><td colspan="4">${p.detail}</td></tr></tbody>`

const scorePage = (d) => html`<section class="panel" aria-label="How the score came about">
  <h2>How the score came about</h2>
  ${d.reason ? html`<p class="reason">${d.reason}</p>` : ""}
  ${d.parts.length ? html`<table><thead><tr><th scope="col">part</th><th scope="col">weight</th><th scope="col">value</th>
    <th scope="col">points</th></tr></thead>${d.parts.map(part)}
    <tfoot><tr><th scope="row" colspan="3">sum of points</th><td class="points"><b>${d.sum}</b></td></tr>
    ${d.caps.map((c) => html`<tr class="cap"><td colspan="4"><b>cap</b> ${c}</td></tr>`)}
    <tr class="total" data-band="${d.band}"><th scope="row" colspan="3">score</th>
      <td class="points"><b>${d.score === null ? "?" : d.score}</b> <small>${d.band}</small></td></tr></tfoot></table>
    <p class="fine">Coverage ${d.coverage} %: the share of the weight that could be judged${
      d.coverage < 100 ? "; the rest is shared out among the parts that were" : ""}.</p>` : ""}</section>`

function render({model, el}) {
  followLab(el, model)
  const paint = () => draw(el, scorePage(model.data))
  model.on("data", paint)
  paint()
}
