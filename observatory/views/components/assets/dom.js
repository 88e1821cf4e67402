// What every component draws with: markup that escapes by itself, and patching instead of replacing,
// so that focus, hover and open details survive an update.

class Markup {
  constructor(text) { this.text = text }
}

const escape = (value) => String(value).replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`)

const put = (value) => {
  if (value instanceof Markup) return value.text
  if (Array.isArray(value)) return value.map(put).join("")
  return value === null || value === undefined || value === false ? "" : escape(value)
}

// Tagged template: everything put into it is escaped, unless it was made by this tag itself.
const html = (parts, ...values) =>
  new Markup(parts.reduce((all, part, i) => all + put(values[i - 1]) + part))

const sameAttributes = (from, to) => {
  for (const {name} of [...from.attributes])
    if (!to.hasAttribute(name) && !(name === "open" && from.localName === "details")) from.removeAttribute(name)
  for (const {name, value} of to.attributes)
    if (from.getAttribute(name) !== value && !(name === "value" && from.localName === "input")) from.setAttribute(name, value)
}

// Make the children of `from` those of `to`; elements with the same data-key stay the same elements.
const patch = (from, to) => {
  const keyed = new Map([...from.children].filter((c) => c.dataset.key).map((c) => [c.dataset.key, c]))
  let cursor = from.firstChild
  for (const wanted of [...to.childNodes]) {
    const key = wanted.dataset?.key
    const free = cursor && !cursor.dataset?.key && !key && cursor.nodeName === wanted.nodeName ? cursor : null
    const match = key ? keyed.get(key) : free
    if (!match || match.nodeName !== wanted.nodeName) {
      from.insertBefore(wanted, cursor)
    } else {
      if (match === cursor) cursor = cursor.nextSibling
      else from.insertBefore(match, cursor)
      if (match.nodeType === Node.TEXT_NODE) {
        if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue
      } else if (match.nodeType === Node.ELEMENT_NODE) {
        sameAttributes(match, wanted)
        patch(match, wanted)
      }
    }
  }
  while (cursor) {
    const next = cursor.nextSibling
    cursor.remove()
    cursor = next
  }
}

// Draw `markup` into `el`; the element that has the focus keeps it.
const draw = (el, markup) => {
  const template = document.createElement("template")
  template.innerHTML = markup.text
  const focused = el.getRootNode().activeElement
  patch(el, template.content)
  if (focused && el.contains(focused) && el.getRootNode().activeElement !== focused) focused.focus({preventScroll: true})
}

// Clicks on elements that carry data-say send its JSON; with a modifier key links do what links do.
const listen = (el, model) => {
  el.addEventListener("click", (event) => {
    const target = event.target.closest("[data-say]")
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    model.send_msg(JSON.parse(target.dataset.say))
  })
}

// "/" puts the cursor into the field for searching, where the view with it is the one that is open.
const onSlash = (el, model) => {
  const slash = (event) => {
    const typing = event.composedPath().some((n) => n.matches?.("input, textarea, select, [contenteditable]"))
    const shown = el.isConnected && getComputedStyle(el).visibility === "visible"
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || !shown) return
    event.preventDefault()
    el.querySelector("input[type=search]").focus()
  }
  document.addEventListener("keydown", slash)
  model.on("lifecycle:remove", () => document.removeEventListener("keydown", slash))
}

const magnifier = html`<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="7" cy="7" r="4.6"/><path d="m10.5 10.5 4 4"/></svg>`

const say = (message) => JSON.stringify(message)

// The element of the box that holds a component.
const boxOf = (el) => el.getRootNode().host.getRootNode().host

// Outside the app nobody tells which theme to take: JupyterLab has it in an attribute of the body.
const followLab = (el, model) => {
  if ("observatory" in document.documentElement.dataset) return
  const dark = document.body.dataset.jpThemeLight === "false"
  for (const host of [el.getRootNode().host, boxOf(el)]) if (host) host.style.colorScheme = dark ? "dark" : "light"
  model.send_msg({dark})
}

// Hide an element and keep its size. Bokeh is not told: it would lay out every figure in it again, and once more
// when it comes back, which takes a browser a second.
const putAway = (host, away) => {
  if (!host || host.classList.contains("away") === away) return
  host.style.width = away ? `${host.offsetWidth || innerWidth - 48}px` : ""
  host.classList.toggle("away", away)
}

// What the page showed before the components were there goes when the real thing is drawn.
const arrived = (part) => document.getElementById(`first-${part}`)?.remove()

const SHAPES = {
  critical: html`<rect x="1.5" y="1.5" width="13" height="13" rx="1.5"/>`,
  high: html`<path d="M8 1.5 15.4 14.5H.6z"/>`,
  medium: html`<path d="M8 .8 15.2 8 8 15.2.8 8z"/>`,
  low: html`<circle cx="8" cy="8" r="6"/>`,
}

const shape = (severity) =>
  html`<svg class="shape" viewBox="0 0 16 16" aria-hidden="true" fill="currentColor">${SHAPES[severity]}</svg>`

const badge = (severity) => html`<span class="badge" data-severity="${severity}">${shape(severity)}${severity}</span>`

// A health score as a ring; a service nobody can judge gets a dashed ring and a question mark.
const ring = (score, band) => {
  const length = 2 * Math.PI * 20
  const arc = score === null ? "" : html`<circle class="arc" cx="24" cy="24" r="20"
    stroke-dasharray="${Math.max(0.01, (length * score) / 100).toFixed(2)} ${length.toFixed(2)}" transform="rotate(-90 24 24)"/>`
  return html`<svg class="ring" data-band="${band}" viewBox="0 0 48 48" aria-hidden="true">
    <circle class="${score === null ? "track none" : "track"}" cx="24" cy="24" r="20"/>${arc}
    <text x="24" y="24.5" text-anchor="middle" dominant-baseline="central">${score === null ? "?" : score}</text></svg>`
}
