// Tables of the class "searchable" get a search box, and heads that sort. All in the page: nothing is fetched.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table.searchable").forEach((table) => {
    const body = table.tBodies[0];
    // A cell that spans rows belongs to an order that sorting would break.
    if (!body || body.querySelector('[rowspan]:not([rowspan="1"])')) return;
    const rows = [...body.rows];

    const box = document.createElement("p");
    box.className = "table-search";
    const label = document.createElement("label");
    const field = document.createElement("input");
    field.type = "search";
    label.append("Search these rows: ", field);
    const count = document.createElement("output");
    count.setAttribute("aria-live", "polite");
    box.append(label, " ", count);
    (table.closest(".output") ?? table).before(box);
    const search = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row) => {
        const text = row.textContent.replace(/\u00a0/g, " ").replace(/\u2011/g, "-").toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    };
    field.addEventListener("input", search);
    search();

    // A column whose cells begin with numbers is sorted by them, any other by its text; what is empty comes last.
    const text = (row, k) => row.cells[k].textContent.replace(/\u00a0/g, " ").trim();
    const number = (cell) => {
      const found = cell.replace("\u2212", "-").replace(/(\d),(?=\d{3})/g, "$1").match(/^[+-]?\d+(\.\d+)?/);
      return found ? Number(found[0]) : NaN;
    };
    const empty = (cell) => cell === "" || cell === "–";
    const heads = [...table.tHead.rows].at(-1).cells;
    [...heads].forEach((head, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        [...heads].forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const numeric = rows.every((row) => empty(text(row, k)) || !isNaN(number(text(row, k))));
        const compare = (a, b) => (numeric ? number(a) - number(b) : a.localeCompare(b, "en", { numeric: true }));
        rows.sort((one, other) => {
          const [a, b] = [text(one, k), text(other, k)];
          if (empty(a) || empty(b)) return empty(a) - empty(b);
          return down ? compare(b, a) : compare(a, b);
        });
        body.append(...rows);
      });
    });
  });
});
