"use strict";
(() => {
  const root = document.documentElement;
  const spoken = document.createElement("output");
  spoken.className = "unseen";
  document.body.append(spoken);

  // Colours: as the system has them until somebody chooses.
  const theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const name = () => { theme.textContent = isDark() ? "Light colours" : "Dark colours"; };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });
  system.addEventListener("change", name);
  theme.hidden = false;
  name();

  // Sorting: by the figures behind the cells, rows without one last in either direction.
  const value = (row, column, numeric) => {
    const cell = row.cells[column];
    if (numeric) return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
    return (cell.firstElementChild ?? cell).textContent.trim() || null;
  };
  const sort = (head) => {
    const body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const before = head.getAttribute("aria-sort");
    const first = head.dataset.best === "low" ? "ascending" : "descending";
    const order = before ? (before === "ascending" ? "descending" : "ascending") : first;
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows];
    const numeric = rows.some((row) => row.cells[column].dataset.v !== undefined);
    const keyed = rows.map((row) => [value(row, column, numeric), Number(row.dataset.row), row]);
    keyed.sort(([a, m], [b, n]) => {
      if (a === null || b === null) return (a === null) - (b === null) || m - n;
      return sign * (numeric ? a - b : a.localeCompare(b, "en", { numeric: true })) || m - n;
    });
    body.append(...keyed.map(([, , row]) => row));
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    spoken.textContent = `Sorted by ${head.dataset.name}, ${order}`;
  };
  for (const head of document.querySelectorAll("th[data-best]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.dataset.name = button.firstChild.textContent.trim();
    head.append(button);
    button.addEventListener("click", () => sort(head));
  }

  for (const board of document.querySelectorAll("article")) {
    // Filtering: every word must occur in the row's head; the plots follow.
    const box = board.querySelector(".filter input");
    if (box) {
      const count = board.querySelector(".filter output");
      const rows = [...box.closest("section").querySelectorAll("tbody tr")];
      const texts = rows.map((row) => [row.dataset.row, row.querySelector("th").textContent.toLowerCase()]);
      box.addEventListener("input", () => {
        const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
        const found = new Set(texts.filter(([, text]) => words.every((word) => text.includes(word))).map(([row]) => row));
        for (const each of board.querySelectorAll("[data-row]")) {
          const isFound = found.has(each.dataset.row);
          if (each.localName === "tr") each.hidden = !isFound;
          else each.classList.toggle("faded", !isFound);
        }
        count.textContent = words.length ? `${found.size} of ${rows.length} rows` : `${rows.length} rows`;
      });
      box.closest(".filter").hidden = false;
    }

    // Pointing at a mark of a plot shows its row in all plots and in words.
    const plots = board.querySelector(".plots");
    if (plots) {
      const words = board.querySelector(".pointed");
      words.textContent = "Point at a mark to see its figures.";
      const point = (event) => {
        const row = event.target.closest("[data-row]")?.dataset.row;
        if (row === undefined) return;
        for (const each of plots.querySelectorAll(".pointed-at")) each.classList.remove("pointed-at");
        const marks = [...plots.querySelectorAll(`.point[data-row="${row}"]`)];
        for (const mark of marks) mark.classList.add("pointed-at");
        const said = marks.map((mark) => mark.querySelector("title").textContent);
        const costs = said.slice(1).map((each) => each.slice(each.lastIndexOf(", ")));
        words.textContent = said.slice(0, 1).concat(costs).join("");
      };
      plots.addEventListener("pointerover", point);
      plots.addEventListener("click", point);
    }
  }
})();
