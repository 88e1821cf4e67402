// data: see change_list() in changes.py

const comparison = (t) => html`<p class="soft" role="status">${t.note}</p>${t.rows.length ? html`<div class="scroll"><table>
  <thead><tr><th scope="col">metric</th><th scope="col">before</th><th scope="col">after</th><th scope="col">difference</th>
    <th scope="col" title="what the time of day alone would have made of the value before, and how far a value wanders without a reason">expected</th>
    <th scope="col">verdict</th></tr></thead>
  <tbody>${t.rows.map((r) => html`<tr data-kind="${r.kind}"><th scope="row">${r.metric}</th><td>${r.before}</td><td>${r.after}</td>
    <td>${r.difference}</td><td>${r.expected}</td><td class="verdict">${r.verdict}</td></tr>`)}</tbody></table></div>` : ""}`

const changeLine = (c, d) => {
  const isOpen = c.id === d.opened
  return html`<li class="change" data-key="${c.id}"><div class="line">
    <b>${c.kind}</b>${c.version ? html`<code>${c.version}</code>` : ""}<span class="summary"><bdi>${c.summary}</bdi></span>
    <small title="${c.ago}">${c.when}</small>${c.source ? html`<small>by <bdi>${c.source}</bdi></small>` : ""}
    ${c.url ? html`<a class="link" href="${c.url}" target="_blank" rel="noopener noreferrer">read more</a>` : ""}
    <button class="chip unfold" type="button" aria-expanded="${String(isOpen)}" aria-controls="change-${c.id}"
      aria-label="Before and after ${c.kind} ${c.version} at ${c.when}" data-say="${say({change: isOpen ? "" : c.id})}">Before and after</button></div>
    ${isOpen ? html`<div class="details" id="change-${c.id}">${d.error ? html`<p class="error" role="alert">It cannot be compared: ${d.error}</p>` : ""}
      ${d.details && d.details.id === c.id ? comparison(d.details) : d.error ? "" : html`<p class="soft" role="status">Comparing …</p>`}</div>` : ""}</li>`
}

const changesPage = (d) => html`<div class="row"><h2>Changes</h2><p class="note">${d.note}</p></div>
  ${d.error && !d.items.some((c) => c.id === d.opened) ? html`<p class="error" role="alert">${d.error}</p>` : ""}
  ${d.items.length ? html`<ol class="changes panel" aria-label="Changes">${d.items.map((c) => changeLine(c, d))}</ol>` : ""}
  ${d.left_out ? html`<p class="fine">${d.left_out} earlier ones: observatory changes list</p>` : ""}`

function render({model, el}) {
  followLab(el, model)
  const paint = () => {
    draw(el, changesPage(model.data))
    putAway(el.getRootNode().host, model.data.away)
  }
  listen(el, model)
  model.on("data", paint)
  paint()
}
