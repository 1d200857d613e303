"use strict";

// The errors of recommended pipelines on test rows, drawn with the tools of report.js, which follows.

// ---- errors on test rows

function drawErrors() {
  const section = $("errors"), rows = data.rows;
  section.hidden = !rows || !Object.keys(rows.members).length;
  if (section.hidden) return;
  const chooser = $("errors-of"), known = Object.keys(rows.members);
  const wanted = [...selected].reverse().map(String).find((trial) => known.includes(trial));
  const balanced = recommended().map(([, member]) => String(member.trial)).filter((trial) => known.includes(trial));
  if (!chooser.options.length) {
    chooser.append(...known.map((trial) => element("option", { value: trial }, byTrial.get(+trial)?.name ?? `trial ${trial}`)));
    chooser.value = balanced[1] ?? balanced[0] ?? known[0];
    chooser.addEventListener("change", () => drawErrorsOf(chooser.value));
  }
  if (wanted !== undefined) chooser.value = wanted;
  drawErrorsOf(chooser.value);
}

function drawErrorsOf(trial) {
  const rows = data.rows.members[trial];
  const parts = data.rows.classes.length ? [confusion(rows), calibration(rows)] : [trueAgainstPredicted(rows), byGroup(rows), overRows(rows)];
  $("error-figures").replaceChildren(...parts.filter((part) => part !== null));
}

const SMALL = { width: 420, height: 300, left: 58, right: 10, top: 10, bottom: 40 };

function scatter(xs, ys, { xName, yName, isSquare, caption, zero }) {
  const box = SMALL, all = isSquare ? [...xs, ...ys] : xs;
  const [xLow, xHigh] = [Math.min(...all), Math.max(...all)];
  const [yLow, yHigh] = isSquare ? [xLow, xHigh] : [Math.min(...ys, 0), Math.max(...ys, 0)];
  const x = scaleOf(xLow, xHigh, box.left, box.width - box.right), y = scaleOf(yLow, yHigh, box.height - box.bottom, box.top);
  const svg = shape("svg", { viewBox: `0 0 ${box.width} ${box.height}`, role: "img", "aria-label": caption });
  axes(svg, x, y, { xTicks: ticksOf(xLow, xHigh, 5), yTicks: ticksOf(yLow, yHigh, 5), xText: String, yText: String, xName, yName, box });
  xs.forEach((value, i) => svg.append(shape("circle", { cx: x(value).toFixed(1), cy: y(ys[i]).toFixed(1), r: 2, class: "row" })));
  if (isSquare) svg.append(shape("line", { x1: x(xLow), y1: y(xLow), x2: x(xHigh), y2: y(xHigh), class: "ideal" }));
  if (zero) svg.append(shape("line", { x1: box.left, x2: box.width - box.right, y1: y(0), y2: y(0), class: "ideal" }));
  return element("figure", {}, svg, element("figcaption", {}, caption));
}

const trueAgainstPredicted = (rows) => scatter(rows.y, rows.value, {
  xName: "true value", yName: "prediction", isSquare: true, caption: "Predicted against true values; on the line they are equal.",
});

const overRows = (rows) => scatter(rows.y.map((_, i) => i), rows.value.map((value, i) => value - rows.y[i]), {
  xName: "test rows in their order", yName: "prediction - true value", zero: true,
  caption: "Errors over the test rows, group after group and in time within a group.",
});

function quantile(sorted, share) {
  const place = share * (sorted.length - 1), low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

function byGroup(rows) {
  const groups = new Map();
  rows.group.forEach((g, i) => groups.set(g, [...(groups.get(g) ?? []), rows.value[i] - rows.y[i]]));
  if (groups.size < 2) return null;
  const boxes = [...groups].map(([g, errors]) => [data.rows.groups[g] ?? String(g), errors.sort((a, b) => a - b)])
    .sort((a, b) => Math.abs(quantile(b[1], 0.5)) - Math.abs(quantile(a[1], 0.5))).slice(0, 12);
  const ends = boxes.flatMap(([, errors]) => [quantile(errors, 0.05), quantile(errors, 0.95), 0]);
  const box = { ...SMALL, left: 90, height: 50 + 22 * boxes.length };
  const x = scaleOf(Math.min(...ends), Math.max(...ends), box.left, box.width - box.right);
  const caption = `Errors by group (5, 25, 50, 75, 95 %), the ${boxes.length} of ${groups.size} groups with the largest median first.`;
  const svg = shape("svg", { viewBox: `0 0 ${box.width} ${box.height}`, role: "img", "aria-label": caption });
  axes(svg, x, (v) => v, { xTicks: ticksOf(Math.min(...ends), Math.max(...ends), 5), yTicks: [], xText: String, yText: String, xName: "prediction - true value", yName: "", box });
  boxes.forEach(([name, errors], i) => {
    const middle = box.top + 12 + 22 * i, at = (share) => x(quantile(errors, share));
    svg.append(shape("text", { x: box.left - 6, y: middle + 4, "text-anchor": "end" }, name.length > 12 ? `${name.slice(0, 11)}…` : name));
    svg.append(shape("line", { x1: at(0.05), x2: at(0.95), y1: middle, y2: middle, class: "error" }));
    svg.append(shape("rect", { x: at(0.25), width: Math.max(at(0.75) - at(0.25), 1), y: middle - 6, height: 12, class: "bar" }));
    svg.append(shape("line", { x1: at(0.5), x2: at(0.5), y1: middle - 8, y2: middle + 8, class: "median" }));
  });
  svg.append(shape("line", { x1: x(0), x2: x(0), y1: box.top, y2: box.height - box.bottom, class: "ideal" }));
  return element("figure", {}, svg, element("figcaption", {}, caption));
}

function confusion(rows) {
  const names = data.rows.classes, counts = names.map(() => names.map(() => 0));
  rows.y.forEach((y, i) => { counts[y][rows.value[i]] += 1; });
  const head = element("tr", {}, element("th", {}, "true \\ predicted"), ...names.map((name) => element("th", { scope: "col" }, name)));
  const body = counts.map((row, i) => {
    const total = row.reduce((sum, n) => sum + n, 0) || 1;
    const cells = row.map((n, j) => {
      const cell = element("td", { title: `${((100 * n) / total).toFixed(0)} % of ${names[i]}` }, String(n));
      cell.style.background = `color-mix(in srgb, var(--${i === j ? "accent" : "warn"}) ${Math.round((45 * n) / total)}%, transparent)`;
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row" }, names[i]), ...cells);
  });
  const table = element("table", { id: "confusion" }, element("thead", {}, head), element("tbody", {}, ...body));
  return element("figure", {}, element("div", { class: "scroll" }, table), element("figcaption", {}, "Confusion matrix: rows are true classes."));
}

function calibration(rows) {
  if (!rows.confidence) return null;
  const bins = Array.from({ length: 10 }, () => ({ n: 0, right: 0, sum: 0 }));
  rows.confidence.forEach((confidence, i) => {
    const bin = bins[Math.min(9, Math.floor(confidence * 10))];
    bin.n += 1; bin.sum += confidence; bin.right += rows.y[i] === rows.value[i];
  });
  const box = SMALL, x = scaleOf(0, 1, box.left, box.width - box.right), y = scaleOf(0, 1, box.height - box.bottom, box.top);
  const caption = "Calibration: how often a prediction is right, by how probable the model takes it to be; larger dots hold more rows.";
  const svg = shape("svg", { viewBox: `0 0 ${box.width} ${box.height}`, role: "img", "aria-label": caption });
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  axes(svg, x, y, { xTicks: ticks, yTicks: ticks, xText: String, yText: String, xName: "probability of the predicted class", yName: "share that is right", box });
  svg.append(shape("line", { x1: x(0), y1: y(0), x2: x(1), y2: y(1), class: "ideal" }));
  for (const bin of bins.filter(({ n }) => n)) {
    svg.append(shape("circle", { cx: x(bin.sum / bin.n), cy: y(bin.right / bin.n), r: 3 + 9 * Math.sqrt(bin.n / rows.y.length), class: "bin" }));
  }
  return element("figure", {}, svg, element("figcaption", {}, caption));
}
