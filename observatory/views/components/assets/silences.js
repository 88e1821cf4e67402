// data: see Silences._drawn() in silences.py

const LASTS = [["30m", "30 minutes"], ["1h", "1 hour"], ["2h", "2 hours"], ["4h", "4 hours"], ["8h", "8 hours"], ["1d", "a day"], ["1w", "a week"]]
const EXTENDS = [["+1h", "1 h"], ["+4h", "4 h"], ["+1d", "a day"]]

const option = ([value, text], chosen) => html`<option value="${value}" ${value === chosen ? html`selected` : ""}>${text}</option>`

const field = (name, label, hint, more = "") => html`<label class="field"><span>${label}</span>
  <input data-field="${name}" placeholder="${hint}" ${more} autocomplete="off"></label>`

const acts = (s, d, asked) => d.person.refusal ? "" : html`<div class="acts">
  ${EXTENDS.map(([end, text]) => html`<button class="chip" type="button" data-do="extend" data-silence="${s.id}" data-end="${end}"
    aria-label="Let silence ${s.id} end in ${text}" ${asked ? html`aria-disabled="true"` : ""}>End in ${text}</button>`)}
  <button class="chip main" type="button" data-do="end" data-silence="${s.id}" aria-label="End silence ${s.id} now"
    ${asked ? html`aria-disabled="true"` : ""}>End now</button></div>`

const line = (s, d, asked, isOver) => html`<li class="silence panel" data-key="${s.id}" data-state="${s.state}">
  <div class="what"><b><bdi>${s.covers}</bdi></b><span class="effect">${s.effect}</span>
    ${isOver ? "" : html`<span class="state">${s.state === "active" ? `in force, ${s.left}` : `from ${s.since}`}</span>`}</div>
  <p><bdi>${s.reason}</bdi></p>
  <p class="fine">${s.since} to ${s.until}${s.again ? html` · again ${s.again}, until ${s.last}` : ""} · by <bdi>${s.by}</bdi>${
    s.source ? html` (${s.source})` : ""}${s.ended_by ? html` · ended by <bdi>${s.ended_by}</bdi>` : ""} · <code>${s.id}</code></p>
  ${isOver ? "" : acts(s, d, asked)}</li>`

const lists = (d, asked) => html`<section aria-label="Silences"><h2>What is silenced</h2>
  ${d.error ? html`<p class="error" role="alert">The silences cannot be read: ${d.error}</p>` : ""}
  ${d.items.length ? html`<ol class="list">${d.items.map((s) => line(s, d, asked, false))}</ol>`
    : d.read ? html`<div class="empty"><p>Nothing is silenced: people are told of everything.</p></div>` : html`<p class="soft" role="status">Reading …</p>`}
  ${d.ended.length ? html`<details><summary>${d.ended.length} ended in the last 7 days</summary>
    <ol class="list">${d.ended.map((s) => line(s, d, asked, true))}</ol></details>` : ""}</section>`

const hidden = (p) => html`<div class="preview" role="status"><p><b>${p.summary}</b></p>
  ${p.services.length ? html`<p class="fine">Covered today: ${p.services.map((name, i) => html`${i ? ", " : ""}<bdi>${name}</bdi>`)}${
    p.more_services ? ` and ${p.more_services} more` : ""}</p>` : ""}
  ${p.hidden.length ? html`<ul>${p.hidden.map((one) => html`<li>${badge(one.severity)} <button class="link" type="button"
    data-say="${say({view: "health", service: "", incident: one.id})}"><bdi>${one.title}</bdi></button> <small>${one.when}, ${one.how}</small></li>`)}</ul>` : ""}
  ${p.more ? html`<p class="fine">${p.more} more</p>` : ""}</div>`

const checks = (name, values, words = (v) => v) => html`<fieldset><legend>${name === "severities" ? "Only these severities" : "Only these metrics"}</legend>
  ${values.map((v) => html`<label><input type="checkbox" data-list="${name}" value="${v}">${words(v)}</label>`)}</fieldset>`

const form = (d, asked, said) => d.person.refusal
  ? html`<section class="form panel"><h2>Silence something</h2><p class="fine" data-refusal>You can look at silences, but not make any: ${d.person.refusal}.</p></section>`
  : html`<section class="form panel" aria-label="Silence something" aria-busy="${String(Boolean(asked))}"><h2>Silence something</h2>
  ${field("services", "Services", "shop/cart or shop/*, by commas; * is all", html`list="silence-services"`)}
  <datalist id="silence-services">${d.services.map((name) => html`<option value="${name}"></option>`)}</datalist>
  ${field("reason", "Why", "for whoever wonders where the alarms are")}
  <label class="field"><span>For</span><select data-field="lasts">${LASTS.map((one) => option(one, "2h"))}</select></label>
  <label class="field"><span>Effect</span><select data-field="effect">${d.effects.map((one) => option([one.name, one.words], "tell_nobody"))}</select></label>
  <details><summary>From, until, again and again, only some of it</summary>
    ${field("start", "From", "now, +2h, 2026-03-02T09:00:00Z, or a time ago: -12h")}
    ${field("end", "Until", "in place of For: +3h, or 2026-03-02T11:00:00Z")}
    ${field("cron", "Again, at", "minute hour day month weekday: 0 2 * * sun")}
    ${field("duration", "each time for", "2h")}
    ${field("timezone", "Time zone", "UTC, Europe/Berlin")}
    ${checks("severities", d.severities)}${checks("metrics", d.metrics)}</details>
  <div class="acts"><button class="chip" type="button" data-do="preview" ${asked ? html`aria-disabled="true"` : ""}>Preview</button>
    <button class="chip main" type="button" data-do="add" ${asked ? html`aria-disabled="true"` : ""}>Silence</button></div>
  <p class="said" role="status" tabindex="-1" data-error="${String(Boolean(said?.error))}">${said?.error ? html`Not done: ${said.error}` : said?.said ?? ""}</p>
  ${d.preview && !said?.error ? hidden(d.preview) : ""}</section>`

function render({model, el}) {
  followLab(el, model)
  let asked = null // the number of what was sent and is not answered yet
  let said = null
  let seen = model.data.answer?.number
  let wanted = null

  const hear = (answer) => {
    if (!answer || answer.number === seen) return
    seen = answer.number
    said = answer
    if (asked && answer.ask === asked.ask) {
      if (asked.verb === "add" && !answer.error) for (const input of el.querySelectorAll("input")) {
        if (input.type === "checkbox") input.checked = false
        else input.value = ""
      }
      asked = null
    }
  }
  const paint = () => {
    hear(model.data.answer)
    draw(el, html`<div class="desk">${lists(model.data, asked)}${form(model.data, asked, said)}</div>`)
    const services = el.querySelector("[data-field=services]")
    if (services && model.data.wanted && model.data.wanted !== wanted) services.value = wanted = model.data.wanted
    arrived("main")
  }
  const filled = () => {
    const values = {}
    for (const input of el.querySelectorAll("[data-field]")) values[input.dataset.field] = input.value
    for (const list of ["severities", "metrics"])
      values[list] = [...el.querySelectorAll(`[data-list=${list}]:checked`)].map((box) => box.value)
    values.services = values.services.split(",")
    if (values.end.trim()) values.lasts = ""
    return values
  }
  const send = (button) => {
    if (asked) return
    const {do: verb, silence, end} = button.dataset
    const values = verb === "extend" ? {end} : verb === "end" ? {} : filled()
    asked = {ask: Math.floor(Math.random() * 2 ** 40), verb}
    said = null
    paint()
    model.send_msg({do: verb, silence: silence ?? "", form: values, ask: asked.ask})
  }
  el.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]")
    if (button) send(button)
  })
  el.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches("input[data-field]")) return
    event.preventDefault()
    send(el.querySelector("[data-do=preview]"))
  })
  listen(el, model)
  model.on("data", paint)
  paint()
}
