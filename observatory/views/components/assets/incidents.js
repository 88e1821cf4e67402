// data: see incident_strip() in incidents.py

const where = (i, link) => {
  const message = say({service: i.service, view: "health"})
  return link === null
    ? html`<button class="what" type="button" data-say="${message}">${i.title}</button>`
    : html`<a class="what" href="${link}${encodeURIComponent(i.service)}" data-say="${message}">${i.title}</a>`
}

const incidentLine = (i, link) => html`<li class="incident panel" data-key="${i.id}" data-severity="${i.severity}" data-open="${i.open}">
  ${badge(i.severity)}
  <div class="text">${where(i, link)}
    <p class="more"><span title="${i.since}">${i.lasted}</span><span>${i.reach}</span>${i.cause
      ? html`<span class="cause" title="${i.why}">${i.clear ? "likeliest cause" : "no clear cause, perhaps"}: <b>${i.cause}</b></span>` : ""}${
      i.by ? html`<span>${i.by}</span>` : ""}<code title="incident">${i.id}</code></p></div></li>`

const strip = (d) => html`${d.error ? html`<p class="error" role="alert">The incidents cannot be read: ${d.error}</p>` : ""}
  ${d.items.length ? html`<ol class="incidents" aria-label="Incidents">${d.items.map((i) => incidentLine(i, d.link))}</ol>` : ""}
  ${d.left_out ? html`<p class="fine">${d.left_out} more: observatory incidents list</p>` : ""}`

function render({model, el}) {
  followLab(el, model)
  const paint = () => {
    draw(el, strip(model.data))
    putAway(el.getRootNode().host, model.data.away)
  }
  listen(el, model)
  model.on("data", paint)
  paint()
}
