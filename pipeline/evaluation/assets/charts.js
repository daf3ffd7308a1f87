"use strict";
// Small charts in SVG. Every function returns an element; sizes are units of its viewBox.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function shape(name, attributes = {}, text = null, title = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  if (title !== null) made.append(shape("title", {}, title));
  return made;
}

const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);

class Plot {
  constructor(width, height, [left, right], [low, high], margins = [10, 14, 34, 44]) {
    [this.top, this.right, this.bottom, this.left] = margins;
    Object.assign(this, { width, height });
    this.x = (value) =>
      this.left + ((value - left) / (right - left || 1)) * (width - this.left - this.right);
    this.y = (value) =>
      height - this.bottom - ((value - low) / (high - low || 1)) * (height - this.top - this.bottom);
    this.svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  }

  add(name, attributes, text, title) {
    const made = shape(name, attributes, text, title);
    this.svg.append(made);
    return made;
  }

  axes(xTicks, yTicks, xName, yName) {
    for (const [value, text] of yTicks) {
      const y = this.y(value);
      this.add("line", { class: "axis", x1: this.left, x2: this.width - this.right, y1: y, y2: y });
      this.add("text", { x: this.left - 7, y: y + 4, "text-anchor": "end" }, text);
    }
    for (const [value, text] of xTicks)
      this.add("text", { x: this.x(value), y: this.height - this.bottom + 16, "text-anchor": "middle" }, text);
    const middle = (this.left + this.width - this.right) / 2;
    this.add("text", { x: middle, y: this.height - 2, "text-anchor": "middle" }, xName);
    if (yName) this.svg.setAttribute("aria-label", `${yName} against ${xName}`);
  }

  line(points, kind) {
    const path = points.map(([x, y]) => `${this.x(x).toFixed(1)},${this.y(y).toFixed(1)}`).join(" ");
    this.add("polyline", { class: `line ${kind}`, points: path });
  }

  band(points) {
    const edge = [...points.map(([x, low]) => [x, low]), ...points.toReversed().map(([x, , high]) => [x, high])];
    const path = edge.map(([x, y]) => `${this.x(x).toFixed(1)},${this.y(y).toFixed(1)}`).join(" ");
    this.add("polygon", { class: "band", points: path });
  }
}

const shares = (low) =>
  [0, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1]
    .filter((tick) => tick >= low && (low >= 0.5 || tick * 4 === Math.round(tick * 4)) && (low < 0.5 || tick !== 0.75))
    .map((tick) => [tick, `${Math.round(100 * tick)} %`]);

function snrChart(conditions) {
  const noises = new Map();
  for (const one of conditions.filter((c) => c.noise)) {
    if (!noises.has(one.noise)) noises.set(one.noise, []);
    noises.get(one.noise).push(one);
  }
  const clean = conditions.find((c) => !c.noise);
  const box = element("div");
  for (const [noise, found] of noises) {
    const points = found.toSorted((a, b) => a.snr - b.snr);
    if (clean) points.push(clean);
    const values = points.flatMap((c) => [c.acceptance.low, c.slots && c.slots.f1.low]).filter((v) => v !== null);
    const low = [0.7, 0.5].find((start) => Math.min(...values) >= start + 0.02) ?? 0;
    const plot = new Plot(1080, 260, [0, points.length - 1], [low, 1], [10, 120, 34, 44]);
    const name = noise.split("/").pop().replace(/\.\w+$/, "");
    plot.axes(points.map((c, i) => [i, c.noise ? `${c.snr} dB` : "clean"]), shares(low),
      `speech above noise: ${name}`, "accuracy");
    plot.band(points.map((c, i) => [i, c.acceptance.low, c.acceptance.high]));
    const lines = [["accepted", "blue", (c) => c.acceptance.value],
      ["slot F1", "green dashed", (c) => (c.slots ? c.slots.f1.value : null)]];
    let above = null;
    for (const [text, kind, value] of lines) {
      const known = points.map((c, i) => [i, value(c)]).filter(([, y]) => y !== null);
      if (!known.length) continue;
      plot.line(known, kind);
      for (const [x, y] of known)
        plot.add("circle", { class: `dot ${kind.split(" ")[0]}`, cx: plot.x(x), cy: plot.y(y), r: 4.5 }, null,
          `${text}, ${points[x].condition}: ${percent(y)}`);
      const [x, y] = known.at(-1);
      let at = plot.y(y) + 4;
      if (above !== null && Math.abs(at - above) < 15) at = above + (at < above ? -15 : 15);
      above = at;
      plot.add("text", { class: kind, x: plot.x(x) + 12, y: at }, `${text} ${percent(y)}`);
    }
    box.append(plot.svg);
  }
  return box;
}

function rejectionChart(found, threshold, onMove) {
  const plot = new Plot(520, 240, [0, 1], [0, 1]);
  plot.axes([0, 0.2, 0.4, 0.6, 0.8, 1].map((t) => [t, t.toFixed(1)]), shares(0), "threshold", "share");
  const rejects = found.curve.map((p) => [p.threshold, p.false_reject_rate]);
  if (found.wanted) plot.line(rejects, "blue");
  const total = found.unwanted || found.wanted;
  const accepts = found.curve.map((p) => [p.threshold, (p.false_accepts + p.wrong_accepts) / total]);
  plot.line(accepts, "red dashed");
  const best = plot.x(found.best.threshold);
  plot.add("line", { class: "green dashed", x1: best, x2: best, y1: plot.top, y2: plot.height - plot.bottom });
  plot.add("text", { class: "green", x: best + (best > 400 ? -6 : 6), y: plot.top + 10,
    "text-anchor": best > 400 ? "end" : "start" }, `best ${found.best.threshold.toFixed(2)}`);
  const cursor = plot.add("line", { class: "axis", style: "stroke: var(--ink)", y1: plot.top, y2: plot.height - plot.bottom });
  const slider = element("input", { type: "range", min: 0, max: found.curve.length - 1, value: Math.round(threshold * (found.curve.length - 1)), "aria-label": "Threshold" });
  const note = element("p", { class: "note" });
  const move = () => {
    const point = found.curve[Number(slider.value)];
    cursor.setAttribute("x1", plot.x(point.threshold));
    cursor.setAttribute("x2", plot.x(point.threshold));
    note.textContent = onMove(point);
  };
  slider.addEventListener("input", move);
  move();
  return element("div", {}, plot.svg, slider, note);
}

function histogram(values, percentiles) {
  const top = Math.max(percentiles.p99 * 1.15, 1);
  const bins = new Array(30).fill(0);
  for (const value of values) bins[Math.min(bins.length - 1, Math.floor((value / top) * bins.length))] += 1;
  const most = Math.max(...bins);
  const plot = new Plot(520, 240, [0, top], [0, most], [26, 14, 34, 44]);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((t) => [t * top, `${Math.round(t * top)} ms`]);
  plot.axes(ticks, [[0, "0"], [most, String(most)]], "the last bar holds all that took longer", "utterances");
  bins.forEach((count, i) => {
    const [left, right] = [plot.x((i * top) / bins.length), plot.x(((i + 1) * top) / bins.length)];
    const text = `${Math.round((i * top) / bins.length)} to ${Math.round(((i + 1) * top) / bins.length)} ms: ${count}`;
    plot.add("rect", { class: "bar", x: left + 1, width: Math.max(1, right - left - 2), y: plot.y(count), height: plot.y(0) - plot.y(count), rx: 2 }, null, text);
  });
  for (const [name, value] of [["p50", percentiles.p50], ["p95", percentiles.p95]]) {
    const x = plot.x(Math.min(value, top));
    plot.add("line", { class: "red dashed", x1: x, x2: x, y1: plot.top - 8, y2: plot.height - plot.bottom });
    plot.add("text", { class: "red", x: x, y: plot.top - 13, "text-anchor": "middle" }, `${name} ${Math.round(value)} ms`);
  }
  return plot.svg;
}
