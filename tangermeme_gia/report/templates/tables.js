// Tables that are sorted, searched and copied. The page holds each whole, as TSV.
(() => {
  const PAGE = 100;

  // Rows of cells of a TSV, in which cells with tabs or quotes are quoted.
  function parse(text) {
    const rows = [[]];
    for (const [, cell, end] of text.matchAll(/("(?:[^"]|"")*"|[^\t\n]*)(\t|\n|$)/g)) {
      const quoted = cell.startsWith('"');
      rows[rows.length - 1].push(quoted ? cell.slice(1, -1).replaceAll('""', '"') : cell);
      if (end === "\n") rows.push([]);
      if (end === "") break;
    }
    return rows.filter((row) => row.length > 1 || row[0]);
  }

  // As the page writes numbers: four digits, and a true minus sign.
  function show(cell, isNumber) {
    if (cell === "True" || cell === "False") return cell === "True" ? "yes" : "no";
    if (!isNumber || cell === "" || !isFinite(cell)) return cell;
    const short = /^-?\d+$/.test(cell) ? cell : String(Number(Number(cell).toPrecision(4)));
    return short.replaceAll("-", "−");
  }

  function compare(a, b) {
    if (a === "" || b === "") return (a === "") - (b === ""); // what is missing comes last
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? a.localeCompare(b) : difference;
  }

  function button(label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  }

  function save(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values" }));
    link.download = `${name}.tsv`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  async function copy(text, told) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // pages that are opened as files may have no clipboard
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    told.textContent = "copied";
  }

  function enhance(box) {
    const name = box.dataset.table;
    const text = box.querySelector(".data").textContent;
    const [header, ...rows] = parse(text);
    const heads = [...box.querySelectorAll("th")];
    const at = heads.map((head) => header.indexOf(head.dataset.column));
    const isNumber = heads.map((head) => head.classList.contains("number"));
    const body = box.querySelector("tbody");
    const state = { found: rows, sorted: -1, down: false, most: PAGE };

    const search = document.createElement("input");
    search.type = "search";
    search.placeholder = "search";
    search.setAttribute("aria-label", `Search the table ${name}`);
    const told = document.createElement("span");
    told.setAttribute("role", "status");
    const more = button("show more rows", () => { state.most *= 10; draw(); });
    const tools = document.createElement("div");
    tools.className = "files tools";
    tools.append(
      search,
      button("Copy", () => copy([header, ...state.found].map((r) => r.join("\t")).join("\n"), told)),
      button("TSV", () => save(name, text)),
      told,
    );
    box.prepend(tools);
    box.querySelector(".more").replaceChildren(more);

    function draw() {
      body.replaceChildren(...state.found.slice(0, state.most).map((row) => {
        const line = document.createElement("tr");
        at.forEach((column, i) => {
          const cell = line.insertCell();
          cell.textContent = show(row[column], isNumber[i]);
          if (isNumber[i]) cell.className = "number";
        });
        return line;
      }));
      more.hidden = state.found.length <= state.most;
      told.textContent = `${state.found.length.toLocaleString("en")} rows`;
    }

    function find() {
      const wanted = search.value.trim().toLowerCase();
      state.found = rows.filter((row) => at.some((i) => row[i].toLowerCase().includes(wanted)));
      if (state.sorted >= 0) {
        const sign = state.down ? -1 : 1;
        const column = at[state.sorted];
        state.found.sort((a, b) => {
          const missing = a[column] === "" || b[column] === "";
          return (missing ? 1 : sign) * compare(a[column], b[column]);
        });
      }
      draw();
    }

    heads.forEach((head, i) => {
      const title = head.textContent;
      head.replaceChildren(button(title, () => {
        state.down = state.sorted === i ? !state.down : isNumber[i];
        state.sorted = i;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        find();
      }));
    });
    search.addEventListener("input", find);
    draw();
  }

  document.querySelectorAll(".table").forEach(enhance);
})();
