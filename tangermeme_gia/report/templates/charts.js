// Charts that say the value below the pointer; printed, the pictures take their place.
(() => {
  const line = { labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 12,
    titleFontSize: 12, titleFontWeight: 500 };
  const config = {
    background: "transparent",
    view: { stroke: null },
    axis: { ...line, domainColor: "currentColor", tickColor: "currentColor", grid: false },
    legend: line,
    font: "system-ui, sans-serif",
  };
  const hint = document.createElement("div");
  hint.className = "hint";
  hint.hidden = true;
  document.body.append(hint);

  function tell(handler, event, item, value) {
    hint.hidden = !value;
    if (!value) return;
    hint.textContent = Object.entries(value).map((pair) => pair.join(": ")).join("\n");
    const left = Math.min(event.clientX + 14, innerWidth - hint.offsetWidth - 4);
    hint.style.left = `${left}px`;
    hint.style.top = `${Math.max(4, event.clientY - hint.offsetHeight - 10)}px`;
  }

  for (const holder of document.querySelectorAll("[data-chart]")) {
    const box = document.getElementById(holder.dataset.chart);
    const spec = { ...JSON.parse(holder.textContent), config, width: "container", height: 230,
      autosize: { type: "fit-x", contains: "padding" } };
    box.classList.add("drawn");
    try {
      new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: "svg", container: box })
        .tooltip(tell).runAsync();
    } catch (error) { // the picture is there
      box.classList.remove("drawn");
      console.error(error);
    }
  }
})();
