// SPDX-License-Identifier: Apache-2.0
// Shows what the device said: the latest answer, its history, the features, cycles and memory.

import { bars, element, lines, tensor } from "./drawing.js";

const HISTORY_S = 30;
const MAX_RANKED = 5;
const MAX_LINES = 8;
// A label that never came above this is not drawn.
const MIN_PEAK = 0.1;
const MAX_ROWS = 50;
const MAX_CYCLES = 120;
const LONG_ANSWER = 24;
const number = new Intl.NumberFormat("en");
const $ = (id) => document.getElementById(id);
const duration = (ms) => (ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);
const kib = (bytes) => (bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`);

export class Answers {
  #facts;
  #points = []; // {time_s, values, score} of what is heard or seen live
  #windows = null; // the same of one longer clip
  #cycles = [];
  #features = [];

  constructor(facts) {
    this.#facts = facts;
    $("memory").replaceChildren(
      bars(facts.memory.map((one) => [
        one.region,
        one.used_bytes / one.size_bytes,
        `${kib(one.used_bytes)} of ${kib(one.size_bytes)}`,
      ])),
    );
    $("window-of").addEventListener("input", () => this.#drawFeatures());
    addEventListener("resize", () => this.redraw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  // Shows an answer; `live`: it is one of a stream, and came `latency_ms` after its last sound.
  show(answer, { live, latency_ms, detail }) {
    this.#showAnswer(answer);
    const board = `${duration(answer.board_ms)} on the board, ${duration(answer.read_ms)} to read it`;
    $("latency").textContent = `Answer after ${duration(latency_ms)}: ${board}${detail}`;
    this.#remember(answer, live);
    this.#features = answer.features.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
    $("window-of").max = Math.max(0, this.#features.length - 1);
    $("window-of").value = 0;
    $("window").hidden = this.#features.length < 2;
    this.#showCounts(answer);
    if (!live) {
      this.#addRow(answer, latency_ms);
    }
    this.redraw();
  }

  #showAnswer(answer) {
    const text = answer.answer || "(no words)";
    if ($("answer").textContent !== text) {
      $("answer").textContent = text; // A screen reader says it anew.
    }
    $("answer").className = text.length > LONG_ANSWER ? "long" : "";
    const notes = [`score ${answer.score.toFixed(4)}`, answer.name, answer.converted && `converted from ${answer.converted}`, ...answer.log];
    $("answer-detail").textContent = notes.filter(Boolean).join(" · ");
    $("ranked").replaceChildren(bars(this.#ranked(answer).map(([name, score]) => [name, score, score.toFixed(4)])));
  }

  #ranked(answer) {
    if (answer.ranked.length) {
      return answer.ranked;
    }
    const last = answer.scores.at(-1) ?? [];
    const { labels } = this.#facts;
    if (last.length !== labels.length || answer.scores.length > 1) {
      return [];
    }
    const named = labels.map((label, i) => [label, last[i]]);
    return named.sort((a, b) => b[1] - a[1]).slice(0, MAX_RANKED);
  }

  #remember(answer, live) {
    this.#windows = null;
    if (answer.scores.length > 1) {
      this.#windows = answer.scores.map((values, i) => ({ time_s: i, values, score: null }));
    } else {
      const now_s = performance.now() / 1000;
      this.#points.push({ time_s: now_s, values: answer.scores[0] ?? [], score: answer.score });
      this.#points = this.#points.filter((one) => one.time_s > now_s - HISTORY_S);
    }
    this.#cycles.push(...answer.cycles);
    this.#cycles.splice(0, this.#cycles.length - MAX_CYCLES);
    this.live = live;
  }

  #showCounts(answer) {
    const counts = answer.counts;
    const entries = [
      ["NPU cycles (estimate)", counts.npu_cycles],
      ["inferences", answer.cycles.length],
      ["AXI0 beats read", counts.axi0_rd],
      ["AXI0 beats written", counts.axi0_wr],
      ["AXI1 beats read", counts.axi1_rd],
    ];
    $("npu").replaceChildren(...entries.map(([name, value]) => {
      const box = element("div");
      box.append(element("dt", name), element("dd", number.format(value)));
      return box;
    }));
  }

  #addRow(answer, latency_ms) {
    const row = element("tr");
    const cell = (text, className = "") => element("td", text, { className });
    row.append(
      cell(answer.name),
      cell(answer.answer || "(no words)"),
      cell(answer.score.toFixed(4), "r"),
      cell(number.format(answer.counts.npu_cycles), "r"),
      cell(latency_ms.toFixed(0), "r"),
    );
    $("log").prepend(row);
    [...$("log").rows].slice(MAX_ROWS).forEach((old) => old.remove());
  }

  redraw() {
    this.#drawScores();
    this.#drawFeatures();
    const top = Math.max(1, ...this.#cycles);
    const values = this.#cycles.map((value, i) => [i, value]);
    lines($("cycles"), [{ values, colour: "--line0" }], 0, Math.max(1, values.length - 1), top * 1.1);
    $("cycles").ariaLabel = `NPU cycles of the latest ${values.length} inferences, at most ${number.format(top)}`;
  }

  // Draws the labels that were likeliest; without a score for each label, the answers' scores.
  #drawScores() {
    const points = this.#windows ?? this.#points;
    const last = points.at(-1);
    if (!last) {
      return;
    }
    const { labels } = this.#facts;
    const perLabel = labels.length > 0 && points.every((one) => one.values.length === labels.length);
    const peak = (i) => Math.max(...points.map((one) => one.values[i]));
    const chosen = perLabel
      ? labels
        .map((label, i) => [label, i])
        .sort((a, b) => peak(b[1]) - peak(a[1]))
        .filter(([, i], n) => n === 0 || (n < MAX_LINES && peak(i) >= MIN_PEAK))
      : [["score", null]];
    const value = (one, i) => (i === null ? one.score ?? 0 : one.values[i]);
    const series = chosen.map(([, i], n) => ({
      values: points.map((one) => [one.time_s, value(one, i)]),
      colour: `--line${n}`,
    }));
    const top = Math.max(1, ...series.flatMap((one) => one.values.map(([, y]) => y)));
    const from = this.#windows ? 0 : Math.min(points[0].time_s, last.time_s - HISTORY_S / 3);
    lines($("scores"), series, from, Math.max(last.time_s, from + 1), top);
    $("scores").ariaLabel = `Scores of ${chosen.map(([name]) => name).join(", ")}, from 0 to ${number.format(top)}`;
    const scale = this.#windows ? `${points.length} windows of the clip` : `the latest ${(last.time_s - from).toFixed(0)} s`;
    $("legend").replaceChildren(
      ...chosen.map(([name], n) => {
        const mark = element("b", "━ ");
        mark.style.color = `var(--line${n})`;
        const entry = element("span");
        entry.append(mark, name);
        return entry;
      }),
      element("span", `0 to ${number.format(top)}; ${scale}`, { className: "soft" }),
    );
  }

  #drawFeatures() {
    const index = Number($("window-of").value);
    const bytes = this.#features[index];
    if (!bytes) {
      return;
    }
    $("window-name").textContent = `${index + 1} of ${this.#features.length}`;
    let at = 0;
    const drawn = [];
    const notes = [];
    for (const spec of this.#facts.inputs) {
      const size = spec.size_bytes;
      const canvas = tensor(bytes.slice(at, at + size), spec);
      const shape = spec.shape.join("×");
      canvas.ariaLabel = `Input ${spec.name}, ${shape}`;
      notes.push(`${spec.name}: ${spec.dtype} ${shape}`);
      drawn.push(canvas);
      at += size;
    }
    $("features").replaceChildren(...drawn);
    const axes = drawn.some((one) => one.className === "map") ? "; time from left to right" : "";
    $("features-note").textContent = `The device's own pre-processing, ${notes.join("; ")}${axes}`;
  }
}
