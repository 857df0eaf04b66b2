// Shows the image of the point under the pointer, and marks the same image on every map of the figure.
(() => {
  const figure = document.getElementById("FIGURE");
  const card = figure.querySelector(".hover-card");
  const [thumb, text] = card.children;
  const { side, columns, shown, captions } = JSON.parse(figure.dataset.points);
  let marked = [];
  const clear = () => {
    for (const one of marked) one.removeAttribute("stroke");
    marked = [];
    card.style.visibility = "hidden";
  };
  figure.addEventListener("pointerover", (event) => {
    const point = event.target.closest("[data-k]");
    clear();
    if (!point) return;
    const k = Number(point.dataset.k);
    marked = [...figure.querySelectorAll(`[data-k="${k}"]`)];
    for (const one of marked) one.setAttribute("stroke", "black");
    const scale = shown / side;
    thumb.style.backgroundPosition = `-${(k % columns) * shown}px -${Math.floor(k / columns) * shown}px`;
    thumb.style.backgroundSize = `${columns * side * scale}px auto`;
    text.textContent = captions[k];
    const box = figure.getBoundingClientRect(), at = point.getBoundingClientRect();
    const left = at.left - box.left + 12;
    card.style.left = `${Math.max(0, Math.min(left, figure.clientWidth - card.offsetWidth))}px`;
    card.style.top = `${at.top - box.top + 12}px`;
    card.style.visibility = "visible";
  });
  figure.addEventListener("pointerleave", clear);
})();
