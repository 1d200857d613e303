// The interactive parts of the page: without this script, the page shows the same in fixed pictures and tables.
"use strict";

const data = JSON.parse(document.getElementById("run-data").textContent);
const $ = (id) => document.getElementById(id);
const use = { intensity: data.intensity, retrainings: data.use.retrainings, predictions: data.use.predictions };
const byTrial = new Map(data.members.map((member) => [member.trial, member]));
let selected = [], isMoved = false;
const hidden = new Set();

// ---- text

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const digits = (value) => String(+value.toPrecision(3));

function grams(value) {
  if (value === null || value === undefined) return "-";
  if (value === 0) return "0 g";
  const units = [[1e3, "kg"], [1, "g"], [1e-3, "mg"], [1e-6, "ug"], [1e-9, "ng"], [1e-12, "pg"]];
  const [size, unit] = units.find(([limit]) => Math.abs(value) >= limit) ?? units.at(-1);
  return `${digits(value / size)} ${unit}`;
}

// ---- what the use of a pipeline costs, and which one to take (as cemai_opt/runs/recommendation.py decides)

const factor = () => use.intensity / data.intensity;
const yearly = (m) => factor() * (use.retrainings * m.retraining + (use.predictions / 1000) * (m.per1000 ?? 0));
const merit = (score) => Math.log(Math.min(Math.max(1 - score, 1e-3), 1)) / Math.log(1e-3);

function recommended() {
  const good = data.members.filter((member) => member.isGood);
  const points = good.map((member) => ({ member, score: member.validation - member.error, grams: yearly(member) }));
  points.sort((a, b) => a.grams - b.grams || b.score - a.score || a.member.trial - b.member.trial);
  const front = points.reduce((kept, p) => (kept.length && p.score <= kept.at(-1).score ? kept : [...kept, p]), []);
  if (!front.length) return [];
  const positive = front.filter((p) => p.score > 0);
  const useful = positive.length ? positive : front;
  const scaled = (values, atLeast) => {
    const low = Math.min(...values), width = Math.max(Math.max(...values) - low, atLeast);
    return values.map((value) => (value - low) / width);
  };
  const merits = scaled(useful.map((p) => merit(p.score)), Math.log(2) / Math.log(1000));
  const costs = scaled(useful.map((p) => Math.log10(Math.max(p.grams, 1e-12))), 1);
  let knee = 0;
  useful.forEach((_, i) => { if (merits[i] - costs[i] > merits[knee] - costs[knee]) knee = i; });
  const balanced = isMoved ? useful[knee].member : byTrial.get(data.knee);  // at first, what the run recommends
  return [["greenest good one", front[0].member], ["balanced one", balanced], ["best one", front.at(-1).member]];
}

function showRecommended() {
  const list = $("recommended"), found = recommended(), cards = new Map();
  list.replaceChildren();
  for (const [name, member] of found) cards.set(member, [...(cards.get(member) ?? []), `the ${name}`]);
  const baseline = byTrial.get(data.baseline);
  if (baseline && !cards.has(baseline)) cards.set(baseline, ["without a search"]);
  for (const [member, names] of cards) {
    const interval = member.interval ? ` (95 %: ${member.interval.map((end) => end.toFixed(3)).join(" to ")})` : "";
    const test = member.test === null ? "" : `; test rows ${member.test.toFixed(3)}`;
    const untuned = member.trial === data.baseline ? "; untuned" : "";
    const more = `${data.score} ${member.validation.toFixed(3)}${interval}${test}${untuned}`;
    const button = element("button", { type: "button", "data-trial": member.trial }, member.name);
    button.addEventListener("click", () => select(member.trial));
    const card = element("li", { "data-recommended": names.join(", ") }, names.join(", "), element("b", {}, `${grams(yearly(member))} a year`));
    card.append(button, element("small", {}, more));
    list.append(card);
  }
  if (!found.length) list.prepend(element("li", {}, "nothing is recommended: no pipeline beats a constant prediction"));
  if (data.dummy) {
    const test = data.dummy.test === null ? "" : `; test rows ${data.dummy.test.toFixed(3)}`;
    const text = `${data.score} ${data.dummy.validation.toFixed(3)}${test}`;
    list.append(element("li", {}, "a constant prediction", element("b", {}, `always ${data.dummy.prediction}`), element("small", {}, text)));
  }
  const chosen = new Set(found.map(([, member]) => String(member.trial)));
  for (const dot of document.querySelectorAll("#plot circle.member")) dot.classList.toggle("chosen", chosen.has(dot.dataset.trial));
}

// ---- the front

const PLOT = { left: 56, right: 14, top: 12, bottom: 44 };

function ticksOf(low, high, wanted) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const ticks = [];
  for (let t = Math.ceil(low / step) * step; t <= high + 1e-9; t += step) ticks.push(+t.toPrecision(6));
  return ticks;
}

function axes(svg, x, y, { xTicks, yTicks, xText, yText, xName, yName, box }) {
  for (const tick of yTicks) {
    svg.append(shape("line", { x1: box.left, x2: box.width - box.right, y1: y(tick), y2: y(tick), class: "grid" }));
    svg.append(shape("text", { x: box.left - 6, y: y(tick) + 4, "text-anchor": "end" }, yText(tick)));
  }
  for (const tick of xTicks) {
    svg.append(shape("line", { x1: x(tick), x2: x(tick), y1: box.top, y2: box.height - box.bottom, class: "grid" }));
    svg.append(shape("text", { x: x(tick), y: box.height - box.bottom + 16, "text-anchor": "middle" }, xText(tick)));
  }
  svg.append(shape("text", { x: (box.left + box.width) / 2, y: box.height - 8, "text-anchor": "middle" }, xName));
  const middle = (box.top + box.height - box.bottom) / 2;
  svg.append(shape("text", { transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle" }, yName));
}

const scaleOf = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

function drawFront() {
  const members = data.members, width = Math.max($("plot").clientWidth, 300);
  const box = { ...PLOT, width, height: Math.min(430, Math.max(280, 0.6 * width)) };
  const logs = [...data.trials.map((t) => t[3]), ...members.map((m) => m.grams)].map((g) => Math.log10(Math.max(g * factor(), 1e-12)));
  const lows = members.map((m) => m.validation - m.error), highs = members.map((m) => m.validation + m.error);
  const best = Math.max(...highs, ...data.trials.map((t) => t[2])), pad = Math.max(0.05 * (best - Math.min(...lows)), 0.01);
  const low = Math.min(...lows) - pad, high = best + pad;
  const [left, right] = [Math.min(...logs) - 0.1, Math.max(...logs) + 0.1];
  const x = scaleOf(left, right, box.left, box.width - box.right), y = scaleOf(low, high, box.height - box.bottom, box.top);
  const svg = shape("svg", { viewBox: `0 0 ${box.width} ${box.height}`, role: "group", "aria-label": `${data.score} against ${data.unit}` });
  const step = Math.max(1, Math.round((right - left) / (width / 100))), xTicks = [];
  const between = right - left < 2 ? [1, 2, 5] : [1];  // powers of ten alone would be too few
  for (let t = Math.floor(left); t <= right; t += step) xTicks.push(...between.map((m) => t + Math.log10(m)).filter((at) => at >= left && at <= right));
  axes(svg, x, y, {
    xTicks, yTicks: ticksOf(low, high, 6), xText: (t) => grams(10 ** t), yText: (t) => String(t),
    xName: `${data.unit} (logarithmic)`, yName: `${data.score}`, box,
  });
  const at = (g) => x(Math.log10(Math.max(g * factor(), 1e-12)));
  for (const [trial, family, score, g] of data.trials) {
    if (hidden.has(family)) continue;
    const dot = shape("circle", { cx: at(g).toFixed(1), cy: y(Math.max(score, low)).toFixed(1), r: 3, class: `trial f${family % 8}` });
    dot.dataset.tip = `trial ${trial}, ${data.families[family]}\nsearch: ${data.score} ${score.toFixed(3)}, ${grams(g * factor())}`;
    svg.append(dot);
  }
  for (const member of [...members].reverse()) {
    if (hidden.has(data.families.indexOf(member.model))) continue;
    const [cx, cy] = [at(member.grams), y(member.validation)];
    if (member.error) svg.append(shape("line", { x1: cx, x2: cx, y1: y(member.validation - member.error), y2: y(member.validation + member.error), class: "error" }));
    const dot = shape("circle", { cx, cy, r: 7, class: `member f${Math.max(data.families.indexOf(member.model), 0) % 8}`, tabindex: 0, role: "button", "data-trial": member.trial });
    dot.setAttribute("aria-label", `${member.name}, ${data.score} ${member.validation.toFixed(3)}, ${grams(member.grams * factor())}`);
    dot.setAttribute("aria-pressed", selected.includes(member.trial));
    dot.dataset.tip = tipOf(member);
    dot.addEventListener("click", () => select(member.trial));
    dot.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); select(member.trial); }
    });
    svg.append(dot);
  }
  const focused = document.activeElement?.dataset?.trial;
  $("plot").replaceChildren(svg);
  if (focused !== undefined) svg.querySelector(`[data-trial="${focused}"]`)?.focus();
  for (const dot of svg.querySelectorAll("[data-tip]")) {
    for (const event of ["pointerenter", "focus"]) dot.addEventListener(event, () => showTip(dot));
    for (const event of ["pointerleave", "blur"]) dot.addEventListener(event, () => { $("tip").hidden = true; });
  }
}

function tipOf(member) {
  const stages = Object.entries(member.stages).filter(([, g]) => g > 0).sort((a, b) => b[1] - a[1]).slice(0, 5);
  const config = Object.entries(member.config).filter(([name]) => name.startsWith("train.")).slice(0, 6);
  return [
    `${member.name} ${member.mark}`,
    `${data.score} ${member.validation.toFixed(3)}${member.error ? ` +- ${member.error.toFixed(3)}` : ""}${member.test === null ? "" : `, test ${member.test.toFixed(3)}`}`,
    `${grams(member.grams * factor())} a run, ${grams(yearly(member))} a year`,
    `stages: ${stages.map(([name, g]) => `${name} ${grams(g * factor())}`).join(", ")}`,
    config.map(([name, value]) => `${name.slice(6)} ${value}`).join(", "),
  ].join("\n");
}

function showTip(dot) {
  const tip = $("tip"), area = $("plot").getBoundingClientRect(), place = dot.getBoundingClientRect();
  tip.textContent = dot.dataset.tip;
  tip.hidden = false;
  const left = Math.min(Math.max(place.left - area.left + 14, 0), Math.max(area.width - tip.offsetWidth, 0));
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.max(place.top - area.top - tip.offsetHeight - 8, 0)}px`;
}

function drawLegend() {
  $("legend").replaceChildren(...data.families.map((family, i) => {
    const box = element("input", { type: "checkbox", checked: "" });
    box.addEventListener("change", () => { hidden[box.checked ? "delete" : "add"](i); draw(); filterTable(); });
    return element("label", {}, box, element("span", { class: `f${i % 8} swatch` }), family);
  }));
}

// ---- one pipeline, or two side by side

function select(trial) {
  selected = selected.includes(trial) ? selected.filter((other) => other !== trial) : [...selected, trial].slice(-2);
  draw();
}

function rowsOf(member) {
  const rows = [
    [data.score, member.validation.toFixed(3) + (member.error ? ` +- ${member.error.toFixed(3)}` : "")],
    ["on test rows", member.test === null ? "-" : member.test.toFixed(3)],
    ["one run", `${grams(member.grams * factor())} +- ${grams(member.uncertainty * factor())}`],
    ["a year", grams(yearly(member))],
    ["1,000 predictions", member.per1000 === null ? "-" : grams(member.per1000 * factor())],
    ["seconds of a run", digits(member.seconds)],
  ];
  for (const [stage, g] of Object.entries(member.stages)) rows.push([`stage ${stage}`, grams(g * factor())]);
  for (const [name, value] of Object.entries(member.config)) rows.push([name, String(value)]);
  return new Map(rows);
}

function showSelected() {
  const members = selected.map((trial) => byTrial.get(trial)), place = $("compare");
  for (const row of document.querySelectorAll("table.sortable tbody tr")) {
    row.classList.toggle("selected", selected.includes(+row.dataset.trial));
  }
  if (!members.length) {
    place.replaceChildren(element("p", { class: "small" }, "Select a pipeline in the picture or in the table to see it; select a second one to compare."));
    return;
  }
  const columns = members.map(rowsOf), names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const head = element("tr", {}, element("th", { scope: "col" }, ""), ...members.map((m) => element("th", { scope: "col" }, m.name)));
  const body = names.map((name) => {
    const values = columns.map((column) => column.get(name) ?? "-");
    const differs = values.length > 1 && values[0] !== values[1];
    return element("tr", differs ? { class: "differs" } : {}, element("td", {}, name), ...values.map((value) => element("td", {}, value)));
  });
  place.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

// ---- sliders, the table, and the start

function slider(name, { low, high, text }) {
  const input = $(name), out = $(`${name}-shown`), zero = low === 0;
  const steps = 100, bottom = zero ? 0.5 : low;
  const valueAt = (place) => (zero && +place === 0 ? 0 : bottom * (high / bottom) ** (place / steps));
  const placeOf = (value) => (value <= bottom && zero ? 0 : Math.round((steps * Math.log(value / bottom)) / Math.log(high / bottom)));
  input.value = placeOf(use[name]);
  out.textContent = text(use[name]);
  input.addEventListener("input", () => {
    use[name] = +valueAt(input.value).toPrecision(2);
    out.textContent = text(use[name]);
    isMoved = isMoved || name !== "intensity";
    draw();
  });
}

function filterTable() {
  const wanted = $("filter").value.trim().toLowerCase(), onlyGood = $("only-good").checked;
  for (const row of document.querySelectorAll("table.sortable tbody tr")) {
    const member = byTrial.get(+row.dataset.trial);
    const isShown = row.textContent.toLowerCase().includes(wanted) && (!onlyGood || member?.isGood);
    row.hidden = !isShown || hidden.has(data.families.indexOf(member?.model));
  }
}

function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.value;
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        const difference = x !== "" && y !== "" && !isNaN(x) && !isNaN(y) ? x - y : x.localeCompare(y);
        return down ? -difference : difference;
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
    });
  });
}

function drawFrontAndMarks() {
  drawFront();
  showRecommended();
}

function draw() {
  drawFrontAndMarks();
  showSelected();
  drawErrors();
}

document.querySelectorAll("table.sortable").forEach(sortable);
if (data.members.length) {
  document.querySelectorAll("[data-interactive]").forEach((part) => { part.hidden = false; });
  document.querySelectorAll("[data-static]").forEach((part) => { part.hidden = true; });
  slider("intensity", { low: 5, high: 1200, text: (value) => `${digits(value)} g/kWh` });
  slider("retrainings", { low: 0, high: 10000, text: (value) => value.toLocaleString("en") });
  slider("predictions", { low: 0, high: 1e10, text: (value) => value.toLocaleString("en") });
  $("filter").addEventListener("input", filterTable);
  $("only-good").addEventListener("change", filterTable);
  for (const row of document.querySelectorAll("table.sortable tbody tr")) {
    row.addEventListener("click", () => select(+row.dataset.trial));
  }
  window.addEventListener("resize", drawFrontAndMarks);
  drawLegend();
  draw();
}
