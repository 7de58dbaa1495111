// The theme puts each table into a box that scrolls where the table is wider than the page. Without
// this, a keyboard cannot scroll it.
new MutationObserver(() => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) {
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Table");
  }
}).observe(document, { childList: true, subtree: true });
