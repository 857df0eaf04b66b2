// A file larger than a message to the kernel may be would cut the connection. It is refused here, before it is read.
// The upload button's input never joins the document, so it is met where it is made.
(() => {
  const limit = 128 * 2 ** 20;
  const create = document.createElement.bind(document);
  document.createElement = (...given) => {
    const element = create(...given);
    if (String(given[0]).toLowerCase() === "input") {
      element.addEventListener("change", (event) => {
        const large = element.type === "file" && [...element.files].find((file) => file.size > limit);
        if (!large) return;
        event.stopImmediatePropagation();
        alert(`${large.name} has ${Math.ceil(large.size / 2 ** 20)} MiB; at most ${limit / 2 ** 20} MiB are read.`);
      });
    }
    return element;
  };
})();

// A click on the image puts the center of the frame there, by way of the sliders.
(() => {
  const put = (slider, share) => {
    const bar = slider.querySelector(".noUi-target").noUiSlider;
    bar.set(Math.round(share * bar.options.range.max));
  };
  document.addEventListener("click", (event) => {
    const film = event.target.closest(".screening-film");
    if (!film) return;
    const box = film.querySelector("img").getBoundingClientRect();
    put(document.querySelector(".screening-across"), (event.clientX - box.left) / box.width);
    put(document.querySelector(".screening-down"), (event.clientY - box.top) / box.height);
  });
})();

// A slider's handle has no name of its own, so those who don't see the label beside it would not know what it moves.
new MutationObserver(() => {
  for (const slider of document.querySelectorAll(".screening .widget-slider")) {
    const name = slider.querySelector("label")?.textContent;
    slider.querySelector("[role=slider]")?.setAttribute("aria-label", name);
    const number = slider.querySelector(".widget-readout");
    number?.setAttribute("role", "textbox");
    number?.setAttribute("aria-label", name);
  }
}).observe(document, { childList: true, subtree: true });
