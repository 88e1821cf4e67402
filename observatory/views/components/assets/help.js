// data: see help_data() in help.py

const pieces = (parts) => parts.map(([text, matches]) => (matches ? html`<mark>${text}</mark>` : html`${text}`))

const topicList = (d) => html`<nav class="topics" aria-label="Pages">${d.groups.map((g) => html`
  ${g.title ? html`<h2>${g.title}</h2>` : ""}<ul>${g.topics.map((t) => html`<li><a href="${t.href}" data-say="${t.say}"
    ${!d.found && t.name === d.name ? html`aria-current="page"` : ""}>${t.title}</a></li>`)}</ul>`)}</nav>
  <div class="picker"><select class="select" aria-label="Page">${d.groups.map((g) => html`
    <optgroup label="${g.title || "Guides"}">${g.topics.map((t) => html`<option value="${t.say}" data-name="${t.name}">${t.title}</option>`)}</optgroup>`)}</select></div>`

const foundList = (f) => html`<section class="found" data-key="found">
  <p class="summary" role="status"><b>${f.summary}</b> ${f.hint}</p>
  ${f.items.length ? html`<ol>${f.items.map((i) => html`<li><a href="${i.href}" data-say="${i.say}">
    <span class="where">${i.page ? html`${i.page} <span aria-hidden="true">›</span> ` : ""}<b>${pieces(i.title)}</b></span>
    <span class="snippet">${pieces(i.snippet)}</span>
    ${i.missing ? html`<small>without: ${i.missing}</small>` : ""}</a></li>`)}</ol>`
  : html`<p class="soft">Try fewer or shorter words, or another word for the same thing: <i>login</i> instead of <i>sign in</i>, say.
    You can also look for a setting, a verb, or a part of an error message.</p>`}</section>`

const step = (rel, title, link) => link ? html`<a rel="${rel}" href="${link.href}" data-say="${link.say}"><small>${title}</small>${link.title}</a>` : ""

// The page is HTML made by the server from the guides of the package, in which raw HTML is only text.
const article = (d) => html`<article class="prose" data-key="page-${d.name}">${new Markup(d.page.html)}
  <nav class="beside" aria-label="Pages beside this one">${step("prev", "Previous", d.page.previous)}${step("next", "Next", d.page.next)}</nav></article>`

const contents = (d) => html`<nav class="contents" aria-label="On this page">${
  d.page && d.page.contents.length > 1 ? html`<h2>On this page</h2><ul>${d.page.contents.map((c) => html`<li><a href="${c.href}"
    data-say="${c.say}" ${c.anchor === d.at ? html`aria-current="true"` : ""}>${c.title}</a></li>`)}</ul>` : ""}</nav>`

const errorBox = (d) => html`<div class="empty" role="alert" data-key="error"><h2>This page cannot be shown</h2><p>${d.error}</p>
  <a class="chip" href="${d.groups[0].topics[0].href}" data-say="${d.groups[0].topics[0].say}">Show all pages</a></div>`

const helpPage = (d) => html`<div class="help">
  <div class="side"><label class="search" role="search"><span class="hidden">Search the guides</span>${magnifier}
    <input type="search" placeholder="Search the guides" value="${d.search}" autocomplete="off" spellcheck="false" maxlength="300">
    <kbd aria-hidden="true">/</kbd></label>${topicList(d)}</div>
  <div class="main">${d.error ? errorBox(d) : d.found ? foundList(d.found) : d.page ? article(d) : ""}</div>
  ${contents(d)}</div>`

function render({model, el}) {
  followLab(el, model)
  const input = () => el.querySelector("input")
  const isTyping = () => el.getRootNode().activeElement === input()

  // To the section of the address. Its heading takes the focus, so that keys and screen readers go on from there.
  const goTo = (anchor) => {
    const heading = el.querySelector(anchor ? `[id="${CSS.escape(anchor)}"]` : "article h1")
    if (!heading || isTyping() || getComputedStyle(el).visibility !== "visible") return
    heading.focus({preventScroll: true})
    if (anchor) heading.scrollIntoView()
  }
  let last = null
  const paint = () => {
    const d = model.data
    draw(el, helpPage(d))
    if (!isTyping()) input().value = d.search
    const option = el.querySelector(`option[data-name="${CSS.escape(d.name)}"]`)
    if (option) option.selected = true
    arrived("main")
    if (!d.page && !d.found) return
    const place = d.found ? "" : `${d.name}#${d.at}`
    if (d.page && place !== last && (last !== null || d.at)) goTo(d.at)
    if (place !== last) el.querySelector(".topics [aria-current]")?.scrollIntoView({block: "nearest"})
    last = place
  }
  let waiting
  el.addEventListener("input", (event) => {
    if (!event.target.matches("input")) return
    clearTimeout(waiting)
    waiting = setTimeout(() => model.send_msg({help_search: input().value}), 120)
  })
  el.addEventListener("keydown", (event) => {
    const best = event.key === "Enter" && event.target.matches("input") && el.querySelector(".found li a")
    if (!best) return
    input().blur()
    best.click()
  })
  el.addEventListener("change", (event) => {
    if (event.target.matches("select")) model.send_msg(JSON.parse(event.target.value))
  })
  el.addEventListener("click", (event) => {
    const message = event.target.closest("[data-say]")?.dataset.say
    if (!message) return
    clearTimeout(waiting) // what was typed just before comes too late
    const {help_page: page, help_section: at} = JSON.parse(message)
    if (page === model.data.name && at === model.data.at) goTo(at) // the server has nothing new to send
  })
  listen(el, model)
  onSlash(el, model)
  const head = document.querySelector(".page-head")
  const measure = () => el.style.setProperty("--head", `${head?.offsetHeight ?? 0}px`)
  const sizes = new ResizeObserver(measure)
  if (head) sizes.observe(head)
  measure()
  model.on("lifecycle:remove", () => sizes.disconnect())
  model.on("data", paint)
  paint()
}
