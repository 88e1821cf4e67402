// Moving to another view, service or page of the guides is a step the back button undoes, and so is opening a list of
// what was found; filters and further letters of a search replace the address in place.

function render({model, el}) {
  const place = (query) => {
    const q = new URLSearchParams(query)
    return ["view", "service", "page", "at"].map((key) => q.get(key) ?? "").join(" ") + q.has("find")
  }
  const here = () => location.search.slice(1)
  model.on("query", () => {
    if (model.query === here()) return
    const url = model.query ? `?${model.query}` : location.pathname
    if (place(model.query) === place(here())) history.replaceState(null, "", url)
    else {
      history.pushState(null, "", url)
      if (!new URLSearchParams(model.query).has("at")) scrollTo(0, 0) // the page scrolls to its section
    }
  })
  const back = () => model.send_msg({query: here()})
  const keys = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return
    const field = event.composedPath().find((n) => n.matches?.("input, select, textarea"))
    if (field) field.blur()
    else if (new URLSearchParams(location.search).get("service")) model.send_msg({back: true})
  }

  // A drag may begin slowly, or on a busy machine: after 300 ms Bokeh takes it for a press, which nothing here listens to.
  Bokeh.loader["core/ui_gestures"].UIGestures.press_threshold = 1e9

  const switchView = () => {
    const host = el.getRootNode().host
    // Panel's button to scroll a column stands among the views, before those that came after it.
    const views = [...host.parentNode.children].filter((c) => c !== host && c.matches("div:not(.scroll-button)"))
    views.forEach((view, i) => putAway(view, i !== model.shown))
  }
  model.on("shown", switchView)

  const system = matchMedia("(prefers-color-scheme: dark)")
  const root = document.documentElement
  const apply = (theme) => {
    root.style.colorScheme = theme === "auto" ? "light dark" : theme
    const dark = theme === "auto" ? system.matches : theme === "dark"
    document.cookie = `observatory-dark=${dark}; path=/; max-age=31536000; SameSite=Strict` // for the first figures of the next session
    return dark
  }
  let remembered = null
  try { remembered = localStorage.getItem("observatory-theme") } catch { /* storage is switched off */ }
  const tell = () => model.send_msg({theme: remembered ?? "auto", dark: apply(remembered ?? "auto")})
  model.on("theme", () => {
    if (model.theme === (remembered ?? "auto")) return
    remembered = model.theme
    try { localStorage.setItem("observatory-theme", remembered) } catch { /* storage is switched off */ }
    tell()
  })
  window.addEventListener("popstate", back)
  document.addEventListener("keydown", keys)
  system.addEventListener("change", tell)
  model.on("lifecycle:remove", () => {
    window.removeEventListener("popstate", back)
    document.removeEventListener("keydown", keys)
    system.removeEventListener("change", tell)
  })
  tell()
}
