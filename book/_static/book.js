// Excerpts in the search, from disk too. Browsers let no page at file:// fetch another, so what Sphinx's search
// would fetch is taken from pages.js, which the build writes; a script may be loaded from disk.
if (location.protocol === "file:") {
  let texts;
  window.fetch = (address) => {
    texts ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = document.documentElement.dataset.content_root + "_static/pages.js";
      script.onload = () => resolve(window.PAGES);
      script.onerror = reject;
      document.head.appendChild(script);
    });
    return texts.then((pages) => new Response(pages[address.replace(/^(\.\/)+/, "")] ?? ""));
  };
}

// A table wider than its column scrolls in a box of its own, which says so and can be reached by keyboard.
document.addEventListener("DOMContentLoaded", () => {
  const boxes = document.querySelectorAll(
    ".bd-article .cell_output .output.text_html, .bd-article .pst-scrollable-table-container"
  );
  const mark = (box) => {
    const wide = box.scrollWidth > box.clientWidth + 1;
    if (wide === box.classList.contains("wide")) return;
    box.classList.toggle("wide", wide);
    if (wide) {
      box.tabIndex = 0;
      box.insertAdjacentHTML("beforebegin", '<p class="wide-hint">Wider than the page: scroll the table sideways →</p>');
    } else {
      box.removeAttribute("tabindex");
      box.previousElementSibling.remove();
    }
  };
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
  boxes.forEach((box) => watch.observe(box));
});
