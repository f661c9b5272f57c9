(() => {
  "use strict";
  const POLL_MILLISECONDS = 1000;
  const NEWS_MILLISECONDS = 10000; // a live region that speaks more often is a nuisance
  const PATIENCE_MILLISECONDS = 5000;
  const { charts: library, timeScale, kept } = document.body.dataset;
  const scale = Number(timeScale);
  const span = Number(kept);
  const at = (id) => document.getElementById(id);
  const choice = at("variant");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const views = new Map();
  const versions = new Map();
  let samples = [];
  let target = null;
  let faults = [];
  let watched = choice.value;
  let run = null;
  let point = null;
  let curve = null;
  let timer = 0;

  async function got(path) {
    const answer = await fetch(path, {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return answer.json();
  }

  // The parts come as HTML that the server has escaped; only what has changed is touched.
  function put(parts) {
    for (const [id, { version, html }] of Object.entries(parts)) {
      versions.set(id, version);
      at(id).innerHTML = html;
    }
  }

  // What happens now.

  async function poll() {
    clearTimeout(timer);
    if (document.hidden) return; // whoever comes back gets what was missed
    const since = samples.at(-1)?.number ?? 0;
    const have = [...versions].map((pair) => pair.join(".")).join(",");
    const asked = watched;
    try {
      const now = await got(
        `/_tonnage/page.json?watch=${encodeURIComponent(asked)}&since=${since}&have=${have}`,
      );
      if (run !== null && run !== now.run) return location.reload();
      run = now.run;
      if (asked === watched) take(now);
      trouble("");
    } catch (error) {
      trouble("The endpoint does not answer now. What you see is what it was; asking again.");
    }
    clearTimeout(timer);
    timer = setTimeout(poll, POLL_MILLISECONDS);
  }

  function take(now) {
    offer(now.names, now.watch);
    if (now.watch === null) return;
    const newest = now.samples.at(-1);
    samples = [...samples, ...now.samples].filter(
      (sample) => sample.at_seconds > (newest ?? samples.at(-1)).at_seconds - span,
    );
    target = now.target;
    faults = now.faults;
    put(now.parts);
    tell(now.news);
    show();
  }

  // Names are only touched when endpoints come and go: an open list stays open.
  function offer(names, chosen) {
    const values = names.map((pair) => pair.join("/"));
    if (values.join() !== [...choice.options].map((option) => option.value).join()) {
      choice.replaceChildren(
        ...names.map((pair) => new Option(pair.join(" / "), pair.join("/"))),
      );
    }
    const value = chosen?.join("/") ?? "";
    if (value !== watched) {
      watched = value;
      samples = [];
    }
    if (choice.value !== value) choice.value = value;
  }

  function trouble(text) {
    const place = at("trouble");
    if (place.textContent === text) return;
    place.textContent = text;
    place.hidden = !text;
  }

  let told = 0;
  function tell(text) {
    const place = at("news");
    if (place.dataset.text === text) return;
    if (told && performance.now() - told < NEWS_MILLISECONDS) return; // the next poll tells it
    place.textContent = told ? text : ""; // what is on the page when it opens is read there
    place.dataset.text = text;
    told = performance.now();
  }

  choice.addEventListener("change", () => {
    watched = choice.value;
    samples = [];
    versions.clear();
    at("row").elements.watch.value = watched;
    history.replaceState(null, "", `?watch=${encodeURIComponent(watched)}`);
    poll();
  });
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  at("show").hidden = true;

  // The model.

  at("row").addEventListener("submit", async (event) => {
    event.preventDefault();
    const entered = new URLSearchParams(new FormData(event.target));
    try {
      const answer = await got(`/_tonnage/answer.json?${entered}`);
      at("answer").innerHTML = answer.html;
      at("calls").innerHTML = answer.calls;
      mark(answer);
      trouble("");
    } catch (error) {
      trouble("The endpoint does not answer now. Try again in a moment.");
    }
  });

  function mark({ row, value }) {
    point = curve && value ? { x: row[curve.field], y: value[curve.result] } : null;
    views.get("curve")?.data("point", point ? [point] : []).runAsync();
  }

  async function load() {
    curve = await got("/_tonnage/curve.json");
    if (curve === null) return;
    at("curve-numbers").innerHTML = curve.html;
    at("curve").hidden = false;
    mark(JSON.parse(at("answer").dataset.told));
  }

  // The charts.

  const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();

  function config() {
    const soft = colour("soft");
    const line = colour("line");
    return {
      aria: false, // the numbers are in tables
      font: getComputedStyle(document.body).fontFamily,
      background: null,
      view: { stroke: null },
      axis: {
        labelColor: soft, titleColor: soft, gridColor: line, domainColor: soft, tickColor: soft,
        labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal", gridDash: [2, 3],
      },
      axisX: { labelOverlap: "greedy" },
      axisY: { minExtent: 40, domain: false, ticks: false, tickCount: 4 },
      legend: {
        orient: "top", title: null, labelColor: colour("ink"), labelFontSize: 12, symbolType: "stroke",
        symbolSize: 400, symbolStrokeWidth: 2.2, offset: 0, padding: 0, columnPadding: 14,
      },
    };
  }

  const frame = (height, layers, more) => ({
    width: "container", height, autosize: { type: "fit", contains: "padding" },
    padding: 2, config: config(), layer: layers, ...more,
  });

  function ago() {
    const words = scale === 1
      ? "datum.value ? -datum.value + ' s ago' : 'now'"
      : `datum.value ? [-datum.value + ' s ago', format(-datum.value * ${scale} / 60, ',.3~r') + ' min of AWS'] : 'now'`;
    return {
      field: "ago", type: "quantitative", scale: { domain: [-span, 0], nice: false },
      axis: {
        title: null, grid: false, values: [-span, -span * 2 / 3, -span / 3, 0], labelExpr: words,
        labelBound: true, labelFlush: true,
      },
    };
  }

  const domain = (names, styles, kind) => ({
    domain: names, range: styles.map((style) => (kind === "dash" ? style[1] : colour(style[0]))),
  });

  function lines(styles, interpolate, axis = {}) {
    const names = Object.keys(styles);
    const values = Object.values(styles);
    return {
      mark: { type: "line", interpolate, strokeWidth: 2 },
      data: { name: "rows" },
      transform: [{ filter: "datum.series !== 'fault'" }],
      encoding: {
        x: ago(),
        y: { field: "value", type: "quantitative", title: null, axis, scale: { zero: true, nice: true } },
        color: { field: "series", scale: domain(names, values, "colour") },
        strokeDash: { field: "series", scale: domain(names, values, "dash") },
      },
    };
  }

  // A fault that was injected: a line through the chart, and what it was.
  function faultMarks() {
    const shared = { data: { name: "rows" }, transform: [{ filter: "datum.series === 'fault'" }] };
    return [
      { ...shared, mark: { type: "rule", strokeDash: [2, 2], color: colour("bad") }, encoding: { x: ago() } },
      {
        ...shared,
        mark: { type: "text", align: "left", baseline: "top", dx: 4, fontSize: 11, color: colour("bad") },
        encoding: { x: ago(), y: { value: 2 }, text: { field: "words" } },
      },
    ];
  }

  const HEIGHT = 190;
  const SPECS = {
    requests: () => frame(HEIGHT, [lines({ succeeded: ["series-1", [1, 0]], failed: ["series-2", [5, 3]] }, "linear"), ...faultMarks()]),
    latency: () => frame(HEIGHT, [lines({ p50: ["series-1", [1, 0]], p99: ["series-5", [5, 3]] }, "linear")]),
    instances: () => frame(HEIGHT, [lines({ desired: ["series-4", [5, 3]], "in service": ["series-3", [1, 0]] }, "step-after", { tickMinStep: 1, format: "d" }), ...faultMarks()]),
    load: () => frame(HEIGHT, [lines({ datapoint: ["series-1", [1, 0]], target: ["series-4", [5, 3]] }, "step-after")]),
    alarms: () => frame(24 * Math.max(1, Object.keys(samples.at(-1)?.alarms ?? {}).length) + 50, [{
      mark: { type: "bar", clip: true, height: 14 },
      data: { name: "rows" },
      encoding: {
        x: ago(), x2: { field: "until" },
        y: { field: "alarm", type: "nominal", title: null, axis: { domain: false, ticks: false, labelLimit: 220 } },
        color: {
          field: "state",
          scale: { domain: ["OK", "ALARM", "INSUFFICIENT_DATA"], range: ["series-3", "series-2", "edge"].map(colour) },
          legend: { symbolType: "square", symbolSize: 120 },
        },
      },
    }]),
    curve: () => frame(230, [
      {
        mark: { type: "line", strokeWidth: 2.4, color: colour("series-1") },
        data: { values: curve.points.map(([x, y]) => ({ x, y })) },
        encoding: {
          x: { field: "x", type: "quantitative", title: curve.fieldTitle, scale: { nice: false, zero: false }, axis: { grid: false, tickCount: 6 } },
          y: { field: "y", type: "quantitative", title: curve.resultTitle, scale: { zero: false } },
        },
      },
      {
        mark: { type: "point", filled: true, size: 130, opacity: 1, color: colour("series-2"), stroke: colour("paper"), strokeWidth: 1.5 },
        data: { name: "point" },
        encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
      },
      {
        mark: { type: "text", align: "left", dx: 11, dy: -9, fontSize: 13, fontWeight: 600, color: colour("ink") },
        data: { name: "point" },
        encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" }, text: { field: "y" } },
      },
    ]),
  };

  function rows() {
    const now = samples.at(-1)?.at_seconds ?? 0;
    const made = { requests: [], latency: [], instances: [], load: [], alarms: [] };
    samples.forEach((sample, index) => {
      const when = sample.at_seconds - now;
      const add = (chart, series, value) => value === null || made[chart].push({ ago: when, series, value });
      add("requests", "succeeded", sample.succeeded_per_second);
      add("requests", "failed", sample.failed_per_second);
      add("latency", "p50", sample.p50_milliseconds);
      add("latency", "p99", sample.p99_milliseconds);
      add("instances", "desired", sample.desired);
      add("instances", "in service", sample.in_service);
      add("load", "datapoint", sample.invocations_per_instance);
      if (target !== null) add("load", "target", target);
      const before = index ? samples[index - 1].at_seconds - now : when - 1;
      for (const [alarm, state] of Object.entries(sample.alarms)) {
        const last = made.alarms.findLast((bar) => bar.alarm === alarm);
        if (last && last.state === state && last.until === before) last.until = when;
        else made.alarms.push({ alarm, state, ago: before, until: when });
      }
    });
    for (const { at_seconds: happened, words } of faults) {
      if (happened < now - span) continue;
      for (const chart of ["requests", "instances"]) {
        made[chart].push({ ago: happened - now, series: "fault", words });
      }
    }
    return made;
  }

  let alarmed = "";
  function show() {
    const names = Object.keys(samples.at(-1)?.alarms ?? {}).join();
    at("alarm-figure").hidden = !names;
    if (names !== alarmed && window.vegaEmbed) {
      alarmed = names;
      draw(["alarms"]);
    }
    const made = rows();
    for (const [name, view] of views) {
      if (name in made) view.data("rows", made[name]).runAsync();
    }
  }

  // Errors alone are logged: a chart that is still empty is no news for the console.
  const EMBED = {
    actions: false, renderer: "svg", ast: true, defaultStyle: false, tooltip: false, logLevel: 1,
  };

  async function draw(names) {
    for (const name of names) {
      const place = document.querySelector(`[data-chart="${name}"]`);
      if (place.closest("[hidden]")) continue;
      const data = name === "curve" ? { point: point ? [point] : [] } : { rows: rows()[name] };
      // ast: expressions are interpreted, so that the page's policy can forbid eval.
      const { view } = await vegaEmbed(
        place,
        { ...SPECS[name](), datasets: data },
        EMBED,
      );
      views.get(name)?.finalize();
      views.set(name, view);
    }
  }

  async function drawAll() {
    if (!window.vegaEmbed) return;
    at("charts").hidden = false;
    await draw(Object.keys(SPECS));
    document.documentElement.dataset.drawn = String(views.size);
  }

  function withLibrary() {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = library;
      script.addEventListener("load", resolve);
      script.addEventListener("error", () => reject(new Error("no library")));
      document.head.append(script);
    });
  }

  async function begin() {
    poll();
    await load().catch(() => {});
    if (!library) return;
    try {
      await withLibrary();
      await drawAll();
    } catch (error) {
      for (const details of document.querySelectorAll("details")) details.open = true;
      trouble("The charts could not be drawn; the numbers are in the tables.");
      console.error(error);
    }
  }

  dark.addEventListener("change", drawAll);
  begin();
})();
