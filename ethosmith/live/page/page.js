// SPDX-License-Identifier: Apache-2.0
// The page: what is heard, seen or dropped goes to the device; `Answers` shows what comes back.

import { Answers } from "./answers.js";
import { Camera } from "./camera.js";
import { waveform } from "./drawing.js";
import { Link } from "./link.js";
import { Microphone, wavFile } from "./microphone.js";

const HOP_S = 0.2;
const MAX_CLIP_S = 60;
const PEAKS = 120;
const $ = (id) => document.getElementById(id);

let facts;
let answers;
let microphone;
let camera;
let clip; // {name, data}: what can be kept
let peaks = new Array(PEAKS).fill(0);
const link = new Link(begin, ended);

function problem(error) {
  $("problem").textContent = error ? String(error.message ?? error) : "";
  $("problem").hidden = !error;
}

function status(text, className) {
  $("status").textContent = text;
  $("status").className = className;
}

function begin(message) {
  if (message.kind === "problem") {
    problem(new Error(message.text));
    status("the board does not run", "gone");
    return;
  }
  facts = message;
  answers = new Answers(facts);
  document.title = `${facts.usecase} live`;
  $("heading").textContent = facts.heading;
  $("configuration").textContent = facts.configuration;
  $("identity").textContent = facts.boot.split("\n").find((line) => line.startsWith("identity: ")) ?? "";
  status("the board is ready", "ready");
  $("suffixes").textContent = facts.suffixes.join(" ");
  $("files").accept = facts.suffixes.join(",");
  $("sound").hidden = !(facts.sound && facts.suffixes.includes(".wav") && facts.listen_s > 0);
  $("picture").hidden = !facts.picture;
  $("record-short").textContent = `Record ${facts.listen_s.toFixed(1)} s`;
  $("label-of").replaceChildren(...facts.labels.map((label) => new Option(label)));
  $("label-of").hidden = facts.labels.length === 0;
  $("label-text").hidden = facts.labels.length > 0;
}

function ended() {
  status("the build's server has ended", "gone");
  for (const button of document.querySelectorAll("button")) {
    button.disabled = true;
  }
}

// Sends a file, and shows the answer; `since_ms`: when its last sound was heard.
async function ask(name, data, { live = false, since_ms = performance.now(), detail = "" } = {}) {
  try {
    const answer = await link.send("answer", name, data);
    problem(null);
    status("the board is ready", "ready");
    answers.show(answer, { live, latency_ms: performance.now() - since_ms, detail });
    return answer;
  } catch (error) {
    problem(error);
    return null;
  }
}

async function askAndOffer(name, data) {
  clip = { name, data };
  URL.revokeObjectURL($("download").href);
  $("download").href = URL.createObjectURL(new Blob([data]));
  $("download").download = name;
  const answer = await ask(name, data);
  if (answer) {
    $("keep").hidden = false;
    $("clip").textContent = `Keep ${name} as an example:`;
    $("kept").textContent = `It goes to ${facts.clips}/LABEL/.`;
    const guess = facts.labels.indexOf(answer.answer);
    $("label-of").selectedIndex = Math.max(0, guess);
    $("label-text").value = answer.answer;
  }
}

// The microphone.

let listening = false;
let busy = false;
let lastFrames = 0;
let steps = 0;
let skipped = 0;

async function withMicrophone() {
  microphone ??= await Microphone.open(MAX_CLIP_S, heard);
  return microphone;
}

function heard(block) {
  let peak = 0;
  for (const value of block) {
    peak = Math.max(peak, Math.abs(value));
  }
  peaks = [...peaks.slice(1), peak];
  $("waveform").hidden = false;
  waveform($("waveform"), peaks);
  if (listening) {
    listen();
  }
}

async function listen() {
  const due = microphone.frames - lastFrames >= HOP_S * microphone.rate;
  const frames = due ? microphone.latest(Math.round(facts.listen_s * microphone.rate)) : null;
  if (!frames) {
    return;
  }
  lastFrames = microphone.frames;
  steps++;
  if (busy) {
    skipped++;
    return;
  }
  busy = true;
  const kept = Math.round((100 * (steps - skipped)) / steps);
  const detail = `; a step every ${HOP_S * 1000} ms, ${kept} % answered in time`;
  await ask("microphone.wav", wavFile(frames, microphone.rate), { live: true, detail });
  busy = false;
}

function pressed(button, on) {
  button.ariaPressed = String(on);
}

$("listen").addEventListener("click", async () => {
  try {
    await withMicrophone();
    listening = !listening;
    lastFrames = microphone.frames;
    steps = skipped = 0;
    pressed($("listen"), listening);
    $("listen").textContent = listening ? "Stop listening" : "Listen";
  } catch (error) {
    problem(new Error(`the microphone cannot be used: ${error.message}`));
  }
});

async function recorded(until) {
  const start = (await withMicrophone()).frames;
  await until();
  const count = Math.min(microphone.frames - start, MAX_CLIP_S * microphone.rate);
  const frames = microphone.latest(count);
  await askAndOffer("recording.wav", wavFile(frames, microphone.rate));
}

$("record-short").addEventListener("click", async () => {
  $("record-short").disabled = true;
  try {
    const start = (await withMicrophone()).frames;
    const count = Math.round(facts.listen_s * microphone.rate);
    while (microphone.frames < start + count) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await askAndOffer("recording.wav", wavFile(microphone.latest(count), microphone.rate));
  } catch (error) {
    problem(error);
  } finally {
    $("record-short").disabled = false;
  }
});

let stop = null;

$("record-long").addEventListener("click", async () => {
  if (stop) {
    stop();
    return;
  }
  pressed($("record-long"), true);
  $("record-long").textContent = "Stop recording";
  try {
    await recorded(() => new Promise((resolve) => (stop = resolve)));
  } catch (error) {
    problem(error);
  } finally {
    stop = null;
    pressed($("record-long"), false);
    $("record-long").textContent = "Record until stopped";
  }
});

// The camera.

async function withCamera() {
  camera ??= await Camera.open($("video"));
  $("video").hidden = false;
  return camera;
}

let watching = false;

$("watch").addEventListener("click", async () => {
  watching = !watching;
  pressed($("watch"), watching);
  $("watch").textContent = watching ? "Stop watching" : "Watch the camera";
  try {
    while (watching) {
      const since_ms = performance.now();
      const picture = await (await withCamera()).picture();
      if (!(await ask("camera.png", picture, { live: true, since_ms }))) {
        throw new Error($("problem").textContent);
      }
    }
  } catch (error) {
    problem(error);
    watching = false;
    pressed($("watch"), false);
    $("watch").textContent = "Watch the camera";
  }
});

$("shoot").addEventListener("click", async () => {
  try {
    await askAndOffer("picture.png", await (await withCamera()).picture());
  } catch (error) {
    problem(error);
  }
});

// Files.

async function take(files) {
  for (const file of files) {
    await askAndOffer(file.name, await file.arrayBuffer());
  }
}

$("files").addEventListener("change", async () => {
  await take([...$("files").files]);
  $("files").value = "";
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
  });
}
addEventListener("drop", (event) => take([...event.dataTransfer.files]));

$("keep").addEventListener("submit", async (event) => {
  event.preventDefault();
  const label = facts.labels.length ? $("label-of").value : $("label-text").value.trim();
  try {
    const kept = await link.send("keep", clip.name, clip.data, label);
    $("kept").textContent = `Kept as ${kept.path}`;
    problem(null);
  } catch (error) {
    problem(error);
  }
});
