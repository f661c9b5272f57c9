(() => {
  "use strict";
  const { margin, specs, themes } = JSON.parse(document.getElementById("charts").textContent);
  const frames = [...document.querySelectorAll("[data-chart]")];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let drawn = [];
  let turn = 0;

  // One cursor for all charts: the second under the pointer is marked in every panel of each.
  function point(second) {
    for (const { view } of drawn) view.signal("pointed", second).runAsync();
  }

  function fitted(spec, width) {
    const theme = themes[dark.matches ? "dark" : "light"];
    const legend = width < 420 ? { ...theme.legend, columns: 2 } : theme.legend;
    if (!spec.vconcat) return { ...spec, width, config: { ...theme, legend } };
    const panels = spec.vconcat.map((panel) => ({ ...panel, width }));
    return { ...spec, vconcat: panels, config: { ...theme, legend } };
  }

  async function draw() {
    const mine = ++turn;
    const embedded = [];
    for (const frame of frames) {
      const spec = specs[Number(frame.dataset.chart)];
      const width = Math.max(200, frame.clientWidth - margin);
      try {
        embedded.push(
          // ast: expressions are interpreted, so that the page's policy can forbid eval.
          await vegaEmbed(frame, fitted(spec, width), { actions: false, renderer: "svg", ast: true }),
        );
      } catch (error) {
        frame.textContent = `The chart could not be drawn: ${error.message}`;
        console.error(error);
      }
      if (mine !== turn) return;
    }
    document.documentElement.dataset.drawn = String(embedded.length);
    drawn = embedded.filter((_, at) => specs[Number(frames[at].dataset.chart)].vconcat);
    for (const { view } of drawn) {
      view.addEventListener("pointermove", (_, item) => point(item?.datum?.second ?? null));
      view.addEventListener("pointerout", () => point(null));
    }
  }

  let waiting;
  let seen = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === seen) return;
    seen = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 150);
  });
  dark.addEventListener("change", draw);
  draw();
})();
