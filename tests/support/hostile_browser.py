"""Whether a hostile text did anything in a browser, or became more than text in a page."""

from __future__ import annotations

from playwright.sync_api import Frame, Page
from support.hostile import OUTSIDE

ACTIVE = (
    "[onerror],[onload],[onfocus],[onmouseover],[ontoggle],[srcdoc],img[src=x],base,form,meta[http-equiv=refresh],"
    f"[href^='http://{OUTSIDE}'],[src^='http://{OUTSIDE}'],[href^='javascript:'],[href^='data:text']"
)
"""Elements that only hostile texts would make."""
FIND = """(selector) => {
  const found = []
  const look = (root) => {
    found.push(...[...root.querySelectorAll(selector)].map((element) => element.outerHTML.slice(0, 200)))
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) look(element.shadowRoot)
  }
  look(document)
  return {found, ran: window.__ran ?? null, at: location.href}
}"""
TEXTS = """() => {
  const texts = []
  const look = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT)
    while (walker.nextNode()) {
      const node = walker.currentNode
      if (node.nodeType === Node.TEXT_NODE) texts.push(node.data)
      else if (node.shadowRoot) look(node.shadowRoot)
    }
  }
  look(document)
  return texts.join("\\u0001")
}"""


def is_harmless(page: Page | Frame, allowed: str = "") -> None:
    """Assert that nothing ran, and that no text became an element; but for those that match `allowed`."""
    seen = page.evaluate(FIND, ACTIVE)
    assert seen["ran"] is None, f"script {seen['ran']} ran at {seen['at']}"
    found = [element for element in seen["found"] if not (allowed and allowed in element)]
    assert found == [], f"at {seen['at']}: {found}"


def texts_of(page: Page | Frame) -> str:
    """All text of a page, also in shadow roots."""
    return str(page.evaluate(TEXTS))
