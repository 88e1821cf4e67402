"""A page on another port, which a browser takes for the same site, gets nothing of the dashboard."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from playwright.sync_api import Browser
from support.servers import HANGS_AFTER, FaultyServer, Reply

ATTACK = """<!doctype html><title>another page</title><script>
const told = window.told = []
Object.defineProperty(window, "_bokeh_is_loading", {get: () => 0, set() {}})
window.Bokeh = {set_log_level() {}, safely(f) { f() }, embed: {embed_items(docs, items) { told.push(items[0].token) }}}
const load = (kind, from) => new Promise((done) => {
  const node = document.createElement(kind)
  node.onload = () => { told.push(`loaded ${from}`); done() }
  node.onerror = done
  node.src = `BASE${from}`
  document.head.append(node)
})
const join = (protocols) => new Promise((done) => {
  const socket = new WebSocket("BASE/observatory/ws".replace("http", "ws"), protocols)
  socket.onopen = () => { told.push("joined"); done() }
  socket.onerror = done
})
window.all = Promise.all([
  load("script", "/observatory/autoload.js?bokeh-autoload-element=x"),
  load("script", "/observatory/metadata"),
  load("img", "/components/venv.__main__/a/b/c"),
  load("img", "/favicon.ico"),
  load("iframe", "/observatory").then(() => 0),
  join(["bokeh", "x"]),
  fetch("BASE/api/services", {mode: "no-cors"}).then((a) => a.type === "opaque" || told.push("fetched"), () => 0),
  fetch("BASE/api/services").then(() => told.push("fetched"), () => 0),
])
</script>"""


def test_another_page_of_the_machine_gets_nothing(browser: Browser, address: str) -> None:
    parts = urlsplit(address)
    base = f"{parts.scheme}://{parts.netloc}"
    attack = Reply(body=ATTACK.replace("BASE", base).encode(), headers={"Content-Type": "text/html"})
    with FaultyServer(choose=lambda _: attack) as elsewhere:
        context = browser.new_context()
        page = context.new_page()
        page.goto(elsewhere.url)
        page.evaluate("window.all")
        frames = [frame for frame in page.frames if frame.url.startswith(base)]
        told = page.evaluate("window.told")
        context.close()
    assert frames == []
    assert [what for what in told if what != "loaded /observatory"] == []  # a frame that was refused loads as well
    assert requests.get(address, timeout=HANGS_AFTER).ok
