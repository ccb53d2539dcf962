// SPDX-License-Identifier: Apache-2.0
// Everything that is drawn: rows of bars, lines over time, and tensors.

// From dark to light, so that it reads the same in grey.
const SHADES = [[13, 18, 48], [72, 31, 112], [160, 48, 110], [228, 98, 70], [250, 178, 60], [252, 250, 190]];
const MARGIN = 6;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function element(tag, text = "", properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(text);
  return made;
}

// Rows of a name, a bar (0 to 1) and a text.
export function bars(rows) {
  const box = element("div", "", { className: "rows" });
  for (const [name, part, text] of rows) {
    const bar = element("span", "", { className: "bar" });
    const fill = element("i");
    fill.style.width = `${100 * Math.max(0, Math.min(1, part))}%`;
    bar.append(fill);
    box.append(element("span", name), bar, element("span", text, { className: "r" }));
  }
  return box;
}

// Returns the context of a canvas as large as it is shown, empty.
function cleared(canvas) {
  const ratio = devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, width, height };
}

export function waveform(canvas, peaks) {
  const { context, width, height } = cleared(canvas);
  context.fillStyle = colour("--accent");
  const step = width / peaks.length;
  peaks.forEach((peak, i) => {
    const size = Math.max(1, Math.min(1, peak) * (height - MARGIN));
    context.fillRect(i * step, (height - size) / 2, Math.max(1, step - 1), size);
  });
}

// Lines: [{values: [[x, y], ...], colour}] with y from 0 to `top`, and x from `from` to `to`.
export function lines(canvas, series, from, to, top = 1) {
  const { context, width, height } = cleared(canvas);
  const inner = height - 2 * MARGIN;
  const place = ([x, y]) => [
    MARGIN + ((x - from) / Math.max(1e-9, to - from)) * (width - 2 * MARGIN),
    height - MARGIN - (Math.max(0, Math.min(top, y)) / top) * inner,
  ];
  context.strokeStyle = colour("--line");
  for (const part of [0, 0.5, 1]) {
    const y = height - MARGIN - part * inner;
    context.strokeRect(MARGIN, y, width - 2 * MARGIN, 0);
  }
  for (const { values, colour: name } of series) {
    context.strokeStyle = context.fillStyle = colour(name);
    context.lineWidth = 2;
    context.beginPath();
    values.forEach((value, i) => (i ? context.lineTo(...place(value)) : context.moveTo(...place(value))));
    context.stroke();
    if (values.length < 60) {
      for (const value of values) {
        context.beginPath();
        context.arc(...place(value), 2.5, 0, 7);
        context.fill();
      }
    }
  }
}

const ARRAYS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array };

// Returns a canvas with a tensor: RGB if its last axis is three wide, else its values as shades,
// the first axis from left to right, the others upwards.
export function tensor(bytes, spec) {
  const values = new ARRAYS[spec.dtype](bytes.buffer, bytes.byteOffset, bytes.byteLength / (ARRAYS[spec.dtype].BYTES_PER_ELEMENT));
  const shape = spec.shape.filter((size) => size > 1);
  return shape.length === 3 && shape[2] === 3 ? rgb(values, shape) : shades(values, shape[0] ?? 1);
}

function sized(width, height, className) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height, className });
  canvas.role = "img";
  const context = canvas.getContext("2d");
  return { canvas, context, pixels: context.createImageData(width, height) };
}

function rgb(values, [height, width]) {
  const { canvas, context, pixels } = sized(width, height, "rgb");
  const low = values instanceof Uint8Array ? 0 : values instanceof Int8Array ? -128 : Math.min(...values);
  const high = values instanceof Float32Array || values.BYTES_PER_ELEMENT > 1 ? Math.max(...values) : low + 255;
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      pixels.data[4 * i + c] = (255 * (values[3 * i + c] - low)) / Math.max(1e-9, high - low);
    }
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function shades(values, width) {
  const height = Math.max(1, Math.round(values.length / width));
  const { canvas, context, pixels } = sized(width, height, "map");
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  values.forEach((value, i) => {
    const shade = ((SHADES.length - 1) * (value - low)) / Math.max(1e-9, high - low);
    const below = Math.min(SHADES.length - 2, Math.floor(shade));
    const x = Math.floor(i / height);
    const at = 4 * ((height - 1 - (i % height)) * width + x);
    for (let c = 0; c < 3; c++) {
      pixels.data[at + c] = SHADES[below][c] + (shade - below) * (SHADES[below + 1][c] - SHADES[below][c]);
    }
    pixels.data[at + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
  return canvas;
}
