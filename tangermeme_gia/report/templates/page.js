// Light or dark, figures as files, and all tables where the page is printed.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = document.createElement("button");
  theme.type = "button";
  theme.className = "theme";
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });
  dark.addEventListener("change", name);
  name();
  document.querySelector("main").prepend(theme);

  function save(href, file) {
    const link = document.createElement("a");
    link.href = href;
    link.download = file;
    link.click();
  }

  // The picture drawn anew at 300 dots per inch of its size in print, 3.5 inches wide.
  function png(image, file) {
    const canvas = document.createElement("canvas");
    canvas.width = 1050;
    canvas.height = Math.round((1050 * image.naturalHeight) / image.naturalWidth);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    save(canvas.toDataURL("image/png"), file);
  }

  for (const tools of document.querySelectorAll("[data-figure]")) {
    const figure = tools.dataset.figure;
    const image = document.querySelector(`img[data-name="${CSS.escape(figure)}"]`);
    const add = (kind, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = kind;
      made.setAttribute("aria-label", `${kind} of the figure ${figure}`);
      made.addEventListener("click", act);
      tools.append(made);
    };
    if (image.src.startsWith("data:image/svg")) add("SVG", () => save(image.src, `${figure}.svg`));
    add("PNG", () => png(image, `${figure}.png`));
  }

  const closed = [];
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details:not([open])")) {
      closed.push(each);
      each.open = true;
    }
  });
  addEventListener("afterprint", () => { while (closed.length) closed.pop().open = false; });
})();
