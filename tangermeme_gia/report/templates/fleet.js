// Many models: sorted, found, groups opened; kept while the page reloads itself.
(() => {
  const root = document.documentElement;
  const KEY = `fleet ${location.pathname}`;
  const TYPING = 5000; // milliseconds after a key in which nothing is reloaded
  let kept = {};
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY)) || {};
  } catch { /* no store, or another page's */ }
  if (kept.theme) root.dataset.theme = kept.theme;

  const box = document.getElementById("fleet");
  const state = { column: kept.column || "", down: !!kept.down, open: new Set(kept.open || []) };
  const table = box && box.querySelector(".scroll");
  const find = box && box.querySelector("#find");
  const bodies = box ? [...box.querySelectorAll("tbody")] : [];

  const all = (selector) => [...document.querySelectorAll(selector)];

  function made(label, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  }

  // What a row is found by: its words, without the letters of logos.
  function words(row) {
    return [...row.cells].filter((cell) => !cell.classList.contains("logos"))
      .map((cell) => cell.textContent).join(" ").toLowerCase();
  }

  function enhance() {
    const heads = [...box.querySelectorAll("thead th")];
    const rows = bodies.map((body) => [...body.rows].map((row) => ({ row, words: words(row) })));
    const told = box.querySelector("[role=status]");
    const unfold = box.querySelector("#unfold");
    const groups = bodies.filter((body) => body.dataset.group !== undefined);
    const total = bodies.reduce((n, body) => n + body.querySelectorAll("tr:not(.whole)").length, 0);
    box.querySelector(".tools").hidden = false;
    unfold.hidden = !groups.length;
    find.value = kept.find || "";

    function value(row, column) {
      const cell = row.cells[column];
      if (heads[column].classList.contains("number")) {
        return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
      }
      return cell.textContent.trim() || null;
    }

    function compare(a, b, column) {
      const [x, y] = [value(a, column), value(b, column)];
      if (x === null || y === null) return (x === null) - (y === null); // what is missing comes last
      const sign = state.down ? -1 : 1;
      return sign * (typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true }));
    }

    function sort() {
      const column = heads.findIndex((head) => head.dataset.column === state.column);
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      if (column < 0 || !state.column) return;
      heads[column].setAttribute("aria-sort", state.down ? "descending" : "ascending");
      const sorted = [...bodies].sort((a, b) => compare(a.rows[0], b.rows[0], column));
      for (const body of sorted) {
        const members = [...body.querySelectorAll(".member")];
        body.append(...members.sort((a, b) => compare(a, b, column)));
      }
      box.querySelector("table").append(...sorted);
    }

    function show() {
      const wanted = find.value.trim().toLowerCase();
      let seen = 0;
      bodies.forEach((body, i) => {
        const [first, ...members] = rows[i];
        const group = body.dataset.group;
        const own = first.words.includes(wanted);
        if (group === undefined) {
          first.row.hidden = !own;
          seen += own;
          return;
        }
        const found = members.filter((member) => member.words.includes(wanted));
        const open = state.open.has(group) || (wanted && !own && found.length > 0);
        first.row.hidden = !own && !found.length;
        members.forEach((member) => {
          member.row.hidden = !open || !(own || found.includes(member));
        });
        seen += own ? members.length : found.length;
        first.row.querySelector("button").setAttribute("aria-expanded", String(open));
      });
      told.textContent = `${seen} of ${total} ${total === 1 ? "model" : "models"}`;
      const closed = groups.filter((body) => !state.open.has(body.dataset.group));
      unfold.textContent = closed.length ? "Open all groups" : "Close all groups";
    }

    heads.filter((head) => head.dataset.column).forEach((head) => {
      const button = made(head.textContent, () => {
        const again = state.column === head.dataset.column;
        state.down = again ? !state.down : head.classList.contains("number");
        state.column = head.dataset.column;
        sort();
      });
      button.id = `sort-${head.dataset.column}`;
      head.replaceChildren(button);
    });
    groups.forEach((body) => {
      const head = body.querySelector(".whole th");
      const name = body.dataset.group;
      head.replaceChildren(made(head.textContent, () => {
        if (!state.open.delete(name)) state.open.add(name);
        show();
      }));
      head.firstChild.id = `open-${name}`;
    });
    unfold.addEventListener("click", () => {
      const all = groups.map((body) => body.dataset.group);
      state.open = new Set(all.every((name) => state.open.has(name)) ? [] : all);
      show();
    });
    find.addEventListener("input", show);
    sort();
    show();
  }
  if (box) enhance();

  // Where the reader is, so that a new version of the page is the same place.
  function keep(reloading) {
    const focus = document.activeElement;
    const now = {
      column: state.column,
      down: state.down,
      open: [...state.open],
      find: find ? find.value : "",
      theme: root.dataset.theme,
      paused: kept.paused,
      details: Object.fromEntries(all("details[id]").map((each) => [each.id, each.open])),
      focus: reloading && focus && focus.id,
      scroll: reloading && [scrollX, scrollY],
      table: reloading && table && [table.scrollLeft, table.scrollTop],
    };
    try {
      sessionStorage.setItem(KEY, JSON.stringify(now));
    } catch { /* no store */ }
  }

  for (const [id, open] of Object.entries(kept.details || {})) {
    const each = document.getElementById(id);
    if (each) each.open = open;
  }
  addEventListener("load", () => {
    if (!kept.scroll) return;
    if (table && kept.table) table.scrollTo(...kept.table);
    scrollTo(...kept.scroll);
    const focus = kept.focus && document.getElementById(kept.focus);
    if (focus) focus.focus({ preventScroll: true });
  });

  let reloading = false;
  addEventListener("pagehide", () => keep(reloading));
  const going = document.querySelector("[data-reload]");
  if (!going) return;
  let typed = -TYPING;
  addEventListener("input", () => { typed = performance.now(); });
  const name = () => (kept.paused ? "Reload again" : "Stop reloading");
  const pause = made(name(), () => {
    kept.paused = !kept.paused;
    pause.textContent = name();
  });
  pause.id = "pause";
  going.querySelector(".tools").append(pause);
  const every = 1000 * Number(going.dataset.reload);
  setInterval(() => {
    const busy = kept.paused || document.hidden || performance.now() - typed < TYPING;
    if (busy || performance.now() < every) return;
    reloading = true;
    location.reload();
  }, Math.min(1000, every));
})();
