"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const figuresOf = (name) => data.conditions.find((c) => c.condition === name);
const KINDS = { "nothing-heard": "nothing heard", "false-accept": "false accept" };

function tile(name, value, note, first = false) {
  return element("div", { class: first ? "tile first" : "tile" },
    element("span", {}, name), element("b", {}, value), element("span", {}, note));
}

const between = (rate) => (rate.low === null ? "nothing labelled" : `95 %: ${percent(rate.low)} – ${percent(rate.high)}`);
const counted = (rate) => (rate.denominator ? `${rate.numerator} of ${rate.denominator}` : "nothing labelled");

function showTiles(found) {
  const { intents, slots, words, latency_ms: latency, real_time_factor: factor } = found;
  const tiles = [
    tile("accepted", percent(found.acceptance.value), between(found.acceptance), true),
    tile("strictly", percent(found.acceptance_strict.value), "no slot too many"),
    intents && tile("intent", percent(intents.accuracy.value), counted(intents.accuracy)),
    slots && tile("slot F1", percent(slots.f1.value), between(slots.f1)),
    words && tile("word errors", percent(words.wer.value),
      `${words.substitutions} other, ${words.deletions} lost, ${words.insertions} more`),
    tile("false accepts", percent(found.false_accept_rate.value), counted(found.false_accept_rate)),
    tile("false rejects", percent(found.false_reject_rate.value), counted(found.false_reject_rate)),
    latency.total && tile("answer", `${Math.round(latency.total.p50)} ms`, `95 %: ${Math.round(latency.total.p95)} ms`),
    factor.value && tile("speed", `${(1 / factor.value).toFixed(0)}×`, "as fast as speech"),
  ];
  byId("tiles").replaceChildren(...tiles.filter(Boolean));
}

function put(id, made) {
  byId(`${id}-card`).hidden = made === null;
  if (made !== null) byId(id).replaceChildren(...[made].flat());
}

function showRejection(found) {
  if (!found.rejection) return put("rejection", null);
  const { wanted, unwanted, cost } = found.rejection;
  put("rejection", rejectionChart(found.rejection, data.about.thresholds["*"] ?? 0.6, (p) =>
    `At ${p.threshold.toFixed(2)}: ${p.false_rejects} of ${wanted} commands rejected (solid), ` +
    (unwanted ? `${p.false_accepts} of ${unwanted} others accepted, ` : "") +
    `${p.wrong_accepts} accepted as another intent (dashed). A false accept costs ${cost.false_accept}, a false reject ${cost.false_reject}.` +
    (unwanted ? "" : " Nothing in the data must be rejected.")));
}

function showLatency(found) {
  if (!found.totals_ms.length) return put("latency", null);
  const rows = Object.entries(found.latency_ms).map(([stage, p]) => element("tr", {},
    element("td", {}, stage === "endpoint" ? "silence waited for" : stage),
    ...[p.p50, p.p90, p.p95, p.p99, p.max].map((ms) => element("td", {}, ms.toFixed(ms < 10 ? 1 : 0)))));
  const head = element("tr", {}, ...["ms", "p50", "p90", "p95", "p99", "most"].map((t) => element("th", {}, t)));
  put("latency", [histogram(found.totals_ms, found.latency_ms.total), element("table", {}, head, ...rows)]);
}

function showConfusion(found) {
  if (!found.intents) return put("confusion", null);
  const { labels, confusion, by_label: scores } = found.intents;
  const columns = labels.map((_, i) => i).filter((i) => confusion.some((row) => row[i]));
  const rows = labels.map((_, i) => i).filter((i) => confusion[i].some(Boolean));
  const head = element("tr", {}, element("th"), ...columns.map((c) => element("th", {}, labels[c])), element("th", {}, "F1"));
  const body = rows.map((r) => {
    const total = confusion[r].reduce((a, b) => a + b, 0);
    const cells = columns.map((c) => {
      const share = confusion[r][c] / total;
      const style = `background: rgba(var(--heat), ${(0.55 * share).toFixed(3)})`;
      const text = confusion[r][c] ? String(confusion[r][c]) : "·";
      return element("td", { style, class: confusion[r][c] ? "" : "zero", title: `${labels[r]} understood as ${labels[c]}: ${confusion[r][c]} of ${total}` },
        c === r ? element("b", {}, text) : text);
    });
    return element("tr", {}, element("td", {}, labels[r]), ...cells, element("td", {}, percent(scores[labels[r]].f1).replace(/\.\d/, "")));
  });
  const note = `Macro F1 ${percent(found.intents.macro_f1.value)}.`;
  for (const id of ["confusion-card", "slots-card"]) byId(id).classList.toggle("wide", columns.length > 13);
  put("confusion", [element("table", { class: "confusion" }, head, ...body), element("p", { class: "note" }, note)]);
}

function showSlots(found) {
  if (!found.slots) return put("slots", null);
  const head = element("tr", {}, ...["", "", "F1", "precision", "recall", "labelled"].map((t) => element("th", {}, t)));
  const rows = Object.entries(found.slots.by_slot).map(([name, s]) => {
    const bar = element("span", { class: "meter" }, element("i", { style: `width: ${100 * (s.f1 ?? 0)}%` }));
    return element("tr", {}, element("td", {}, name), element("td", {}, bar),
      ...[s.f1, s.precision, s.recall].map((v) => element("td", {}, percent(v))), element("td", {}, String(s.expected)));
  });
  put("slots", element("table", {}, head, ...rows));
}

function showWords(failure) {
  const line = element("div", { class: "words" });
  for (const edit of failure.words) {
    if (edit.kind === "equal") line.append(`${edit.expected} `);
    if (edit.kind !== "equal" && edit.expected) line.append(element("del", {}, edit.expected), " ");
    if (edit.kind !== "equal" && edit.actual) line.append(element("ins", {}, edit.actual), " ");
  }
  if (!failure.words.length) line.append(failure.heard ? `heard: ${failure.heard}` : "nothing was heard");
  return line;
}

function chip(name, expected, actual, right) {
  const made = element("span", { class: "chip" }, element("em", {}, name));
  if (right) made.append(expected);
  else made.append(element("del", {}, expected ?? "none"), " ", element("ins", {}, actual ?? "none"));
  return made;
}

function showFailure(failure) {
  const chips = element("div", { class: "chips" });
  if (failure.intent !== "")
    chips.append(chip("intent", failure.intent ?? "(rejected)", failure.actual ?? "(rejected)", failure.intent === failure.actual));
  for (const slot of failure.slots) chips.append(chip(slot.name, slot.expected, slot.actual, slot.right));
  const notes = [];
  if (failure.guess && failure.actual === null) notes.push(`best guess ${failure.guess}, ${percent(failure.confidence)}`);
  if (failure.utterances > 1) notes.push(`${failure.utterances} utterances`);
  if (failure.read && failure.read.intent !== failure.intent)
    notes.push(`heard right, it would be understood as ${failure.read.intent ?? "nothing"}`);
  const sound = failure.sound
    ? element("audio", { controls: "", preload: "none", src: failure.sound })
    : element("span", { class: "note" }, "no sound: the page is full");
  return element("article", { class: "failure" },
    element("div", {}, sound, element("div", { class: "name" }, `${failure.audio.split("/").pop()} · ${failure.condition}`)),
    element("div", {}, showWords(failure), chips, notes.length ? element("p", { class: "note" }, notes.join("; ")) : null));
}

function showCauses() {
  const which = byId("which").value;
  const search = byId("search").value.trim().toLowerCase();
  const shown = data.causes
    .map((cause) => ({ ...cause, failures: cause.failures.filter((f) =>
      (!which || f.condition === which) &&
      (!search || [cause.what, cause.kind, f.audio, f.heard, f.text, JSON.stringify(f.slots)].join(" ").toLowerCase().includes(search))) }))
    .filter((cause) => cause.failures.length)
    .toSorted((a, b) => b.failures.length - a.failures.length);
  const made = shown.map((cause, place) => {
    const group = element("details", place === 0 ? { open: "" } : {},
      element("summary", {}, element("span", { class: "count" }, String(cause.failures.length)),
        element("span", { class: "kind" }, KINDS[cause.kind] ?? cause.kind),
        element("span", { class: "what" }, cause.what), element("span", { class: "help" }, cause.help)));
    // A group is filled when it is opened: thousands of players would make the page slow.
    const fill = () => {
      if (group.open && group.childElementCount === 1) group.append(...cause.failures.map(showFailure));
    };
    group.addEventListener("toggle", fill);
    fill();
    return group;
  });
  byId("causes").replaceChildren(...(made.length ? made : [element("div", { class: "empty" }, "Nothing failed here.")]));
}

function showCondition() {
  const found = figuresOf(byId("condition").value);
  showTiles(found);
  for (const show of [showRejection, showLatency, showConfusion, showSlots]) show(found);
}

function begin() {
  const { about } = data;
  byId("about").textContent = `${data.recordings} recordings, ${(data.seconds / 60).toFixed(1)} minutes · ` +
    `configuration ${about.configuration} · ${Object.values(about.models).join(", ")}`;
  byId("footer").textContent = `Made by intentd ${about.intentd} evaluate from ${about.data}, ${about.created}. ` +
    "Accepted: intent and every labelled slot right; strictly: no other slot. Intervals: bootstrap over recordings.";
  for (const { condition } of data.conditions) {
    byId("condition").append(element("option", { value: condition }, condition));
    byId("which").append(element("option", { value: condition }, condition));
  }
  byId("which").prepend(element("option", { value: "", selected: "" }, "all conditions"));
  put("snr", data.conditions.length > 1 ? snrChart(data.conditions) : null);
  byId("condition").addEventListener("change", showCondition);
  byId("which").addEventListener("change", showCauses);
  byId("search").addEventListener("input", showCauses);
  const root = document.documentElement;
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  });
  showCondition();
  showCauses();
}

begin();
