// data: see call_head() in calls.py

const callsPage = (d) => html`<div class="row"><h2>Calls</h2><p class="note" role="status">${d.note}</p>
  <p class="legend"><span><i class="service"></i>service, by health</span><span><i class="outside"></i>outside</span></p>
  <div class="segments" role="group" aria-label="How far calls are followed">${d.choices.map((c) => html`<button type="button"
    aria-pressed="${c.key === d.choice}" data-say="${say({calls: c.key})}">${c.label}</button>`)}</div></div>`

function render({model, el}) {
  followLab(el, model)
  const paint = () => {
    draw(el, callsPage(model.data))
    const box = boxOf(el)
    putAway(box, model.data.away)
    putAway(box.shadowRoot.querySelector(".graph"), !model.data.drawn)
  }
  listen(el, model)
  model.on("data", paint)
  paint()
}
