// data: see IncidentSection._tell() in incidents.py

const leads = (service, text, link, style) => {
  const message = say({service, view: "health"})
  return link === null
    ? html`<button class="${style}" type="button" data-say="${message}">${text}</button>`
    : html`<a class="${style}" href="${link}${encodeURIComponent(service)}" data-say="${message}">${text}</a>`
}

const opens = (id, text) => html`<button class="link" type="button" data-say="${say({incident: id})}">${text}</button>`

const LABELS = {acknowledge: "Acknowledge", note: "Add note", resolve: "Resolve", reopen: "Reopen"}

// What can be done: a note that is typed goes along with what is pressed. `data-field` is where the text comes from.
const workForm = (i, person, asked) => {
  if (!i.verbs.length) return ""
  if (person.refusal) return html`<p class="fine" data-refusal>You can look at it, but not work on it: ${person.refusal}.</p>`
  const busy = asked ? html`aria-disabled="true"` : ""
  const act = (verb, label, source, style = "") => html`<button class="chip ${style}" type="button" data-key="${label}" data-do="${verb}"
    data-incident="${i.id}" ${source} ${busy}>${label}</button>`
  const noted = html`data-field="${i.id}/note"`
  const others = i.verbs.filter((verb) => verb !== "assign")
  const main = i.verbs.includes("acknowledge") ? "acknowledge" : ""
  return html`<div class="work" role="group" aria-label="Work on incident ${i.id}" aria-busy="${String(Boolean(asked))}">
    <label class="noted"><span>Note</span><textarea rows="2" data-draft="${i.id}/note" data-enter="note"
      placeholder="What is to be remembered. It goes along with ${others.filter((v) => v !== "note").map((v) => LABELS[v]).join(" and ")}, too."></textarea></label>
    <div class="acts">${others.map((verb) => act(verb, LABELS[verb], noted, verb === main ? "main" : ""))}
      ${i.verbs.includes("assign") ? html`<span class="assign">${person.name && person.name !== i.assignee
        ? act("assign", "Take it", html`data-text="${person.name}" title="assign it to ${person.name}"`) : ""}
        <input data-draft="${i.id}/assignee" data-enter="assign" aria-label="Assign to a person or team"
          placeholder="${i.assignee ? `with ${i.assignee}` : "a person or team"}">
        ${act("assign", "Assign", html`data-field="${i.id}/assignee"`)}${i.assignee
          ? act("assign", "To nobody", html`data-text=""`) : ""}</span>` : ""}
      ${i.silencing ? html`<button class="chip" type="button" title="keep people from being told of its services"
        data-say="${say({view: "silences", silencing: i.silencing})}">Silence …</button>` : ""}</div></div>`
}

const symptoms = (i, link) => html`<section><h3>What is ill</h3><ul>${i.symptoms.map((s) => html`<li data-severity="${s.severity}"
    data-open="${s.open}"><span class="mark" title="${s.severity}">${shape(s.severity)}<span class="hidden">${s.severity}</span></span>
    <span>${leads(s.service, s.service, link, "link")} <bdi>${s.words}</bdi> <small>${s.time}</small></span></li>`)}</ul>${
  i.more_symptoms ? html`<p class="fine">${i.more_symptoms} more: observatory incidents show ${i.id}</p>` : ""}</section>`

const causes = (i, link) => html`<section><h3>Likeliest causes</h3>${i.causes.length ? html`<ol class="causes">${i.causes.map((c) => html`
    <li><p>${leads(c.service, c.service, link, "link")} <small>${c.clear ? "" : "not clear, "}${c.score} points${
      c.since ? `, ${c.since}` : ""}</small></p>${c.words ? html`<p class="soft"><bdi>${c.words}</bdi></p>` : ""}
      <ul class="reasons">${c.reasons.map((r) => html`<li><b>${r.points}</b><bdi>${r.words}</bdi></li>`)}</ul></li>`)}</ol>`
  : html`<p class="soft">Not known yet.</p>`}</section>`

const calls = (i) => i.calls.length ? html`<section><h3>Calls between them</h3><ul class="calls">${i.calls.map(([a, b]) =>
    html`<li><bdi>${a}</bdi> → <bdi>${b}</bdi></li>`)}</ul>${i.more_calls ? html`<p class="fine">${i.more_calls} more</p>` : ""}</section>` : ""

const similar = (i) => i.similar.length ? html`<section><h3>Like it before</h3><ul>${i.similar.map((s) => html`<li><span>
    ${opens(s.id, s.title)} <small>${s.when}</small>${s.notes.map((n) => html`<q class="soft"><bdi>${n}</bdi></q>`)}</span></li>`)}</ul></section>` : ""

const timeline = (i) => html`<section><h3>Timeline</h3>
  ${i.earlier ? html`<p class="fine">${i.earlier} earlier lines: observatory incidents show ${i.id}</p>` : ""}
  <ol class="timeline" tabindex="0" aria-label="Timeline, the newest last">${i.events.map((e) => html`<li data-kind="${e.kind}">
    <small>${e.time}</small><span><b>${e.kind}</b>${e.text ? html` <bdi>${e.text}</bdi>` : ""}${
      e.who ? html` <small>by <bdi>${e.who}</bdi></small>` : ""}</span></li>`)}</ol></section>`

const opened = (d, id, asked, said) => {
  const i = d.details && d.details.id === id ? d.details : null
  const spoken = said && said.incident === id ? said : null
  return html`<div class="details" id="details-${id}">
    ${d.details_error ? html`<p class="error" role="alert">This cannot be read: ${d.details_error}</p>` : ""}
    ${i === null ? (d.details_error ? "" : html`<p class="soft" role="status">Reading …</p>`) : html`
      ${i.silence ? html`<p class="soft" data-silence="${i.silence.id}">Nobody is told: silenced until ${i.silence.until} by <bdi>${i.silence.who}</bdi>,
        <bdi>${i.silence.reason}</bdi>. <button class="link" type="button" data-say="${say({view: "silences"})}">Silences</button></p>` : ""}
      ${i.links.length ? html`<p class="links">${i.links.map((l) => html`<a class="chip" href="${l.url}" target="_blank" rel="noopener noreferrer">${
        l.title}</a>`)}</p>` : ""}
      ${i.merged_into ? html`<p class="soft">It became part of ${opens(i.merged_into, `incident ${i.merged_into}`)}.</p>` : ""}
      ${workForm(i, d.person, asked)}
      <p class="said" role="status" tabindex="-1" data-error="${String(Boolean(spoken?.error))}">${spoken?.error ? html`Not done: ${spoken.error}`
        : spoken?.said ?? ""}</p>
      <div class="parts"><div>${causes(i, d.link)}${symptoms(i, d.link)}${calls(i)}</div><div>${timeline(i)}${similar(i)}</div></div>`}</div>`
}

const incidentLine = (i, d, asked, said) => {
  const isOpen = i.id === d.opened
  return html`<li class="incident panel" data-key="${i.id}" data-severity="${i.severity}" data-open="${i.open}">
  <div class="line">${badge(i.severity)}
  <div class="text">${leads(i.service, i.title, d.link, "what")}
    <p class="more"><span title="${i.since}">${i.lasted}</span><span>${i.reach}</span>${i.cause
      ? html`<span class="cause" title="${i.why}">${i.clear ? "likeliest cause" : "no clear cause, perhaps"}: <b>${i.cause}</b></span>` : ""}${
      i.by ? html`<span>${i.by}</span>` : ""}<code title="incident">${i.id}</code></p></div>
  <button class="chip unfold" type="button" aria-expanded="${String(isOpen)}" aria-controls="details-${i.id}"
    aria-label="Details of incident ${i.id}: ${i.title}" data-say="${say({incident: isOpen ? "" : i.id})}">Details</button></div>
  ${isOpen ? opened(d, i.id, asked, said) : ""}</li>`
}

const strip = (d, asked, said) => {
  const missing = d.opened && d.details_error && !d.items.some((i) => i.id === d.opened)
  return html`${d.error ? html`<p class="error" role="alert">The incidents cannot be read: ${d.error}</p>` : ""}
  ${missing ? html`<p class="error" role="alert">${d.details_error} <button class="link" type="button" data-say="${say({incident: ""})}">Close</button></p>` : ""}
  ${said?.error && !said.incident ? html`<p class="error" role="alert">Not done: ${said.error}</p>` : ""}
  ${d.items.length ? html`<ol class="incidents" aria-label="Incidents">${d.items.map((i) => incidentLine(i, d, asked, said))}</ol>` : ""}
  ${d.left_out ? html`<p class="fine">${d.left_out} more: observatory incidents list</p>` : ""}`
}

function render({model, el}) {
  followLab(el, model)
  const drafts = new Map() // what is typed, by field: it stays until it was kept, whatever is drawn meanwhile
  let asked = null // what was sent and is not answered yet
  let said = null // the answer to the last one
  let seen = model.data.answer?.number

  const hear = (answer) => {
    if (!answer || answer.number === seen) return
    seen = answer.number
    said = answer
    if (asked && answer.ask === asked.ask) {
      if (!answer.error && drafts.get(asked.field) === asked.text) drafts.delete(asked.field)
      asked = null
    }
  }
  const paint = () => {
    const focused = el.getRootNode().activeElement
    const was = el.querySelector(".timeline")
    const followed = !was || was.scrollHeight - was.scrollTop - was.clientHeight < 4
    hear(model.data.answer)
    draw(el, strip(model.data, asked, said))
    for (const field of el.querySelectorAll("[data-draft]")) {
      const text = drafts.get(field.dataset.draft) ?? ""
      if (field.value !== text) field.value = text
    }
    const lines = el.querySelector(".timeline")
    if (lines && followed) lines.scrollTop = lines.scrollHeight // the newest is last
    if (focused && !el.contains(focused)) el.querySelector(".said")?.focus() // its button went with what it did
    putAway(el.getRootNode().host, model.data.away)
  }
  const refuse = (incident, error) => {
    said = {incident, error}
    paint()
  }
  const send = (button) => {
    if (asked) return
    const {do: verb, incident, field} = button.dataset
    const text = button.dataset.text ?? drafts.get(field) ?? ""
    if (verb === "assign" && field && !text.trim()) return refuse(incident, "write who takes care of it")
    const longest = 2 * model.data.details.longest // of letters that take two places; less is counted by the server
    if (text.length > longest) return refuse(incident, `the text is too long: at most ${model.data.details.longest} characters are kept`)
    asked = {ask: Math.floor(Math.random() * 2 ** 40), field, text}
    said = null
    paint()
    model.send_msg({do: verb, incident, text, ask: asked.ask})
  }
  el.addEventListener("input", (event) => {
    const {draft} = event.target.dataset
    if (draft) drafts.set(draft, event.target.value)
  })
  el.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]")
    if (button) send(button)
  })
  el.addEventListener("keydown", (event) => {
    const {enter, draft} = event.target.dataset
    if (!enter || event.key !== "Enter" || event.isComposing || (enter === "note" && !(event.ctrlKey || event.metaKey))) return
    event.preventDefault()
    send([...el.querySelectorAll(`[data-do="${enter}"]`)].find((button) => button.dataset.field === draft))
  })
  listen(el, model)
  model.on("data", paint)
  paint()
}
