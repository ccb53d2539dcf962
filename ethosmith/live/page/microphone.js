// SPDX-License-Identifier: Apache-2.0
// The microphone as it is: at its own rate, without the browser's improvements.

const UNTOUCHED = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const FULL_SCALE = 32768;
const HEADER_BYTES = 44;

export class Microphone {
  #blocks = [];
  #frames = 0;
  #keptFrames;
  #context;
  #stream;

  // Keeps the latest `keptSeconds`; `heard` is called after each block.
  static async open(keptSeconds, heard) {
    const microphone = new Microphone();
    microphone.#stream = await navigator.mediaDevices.getUserMedia({ audio: UNTOUCHED });
    microphone.#context = new AudioContext();
    microphone.#keptFrames = keptSeconds * microphone.rate;
    await microphone.#context.audioWorklet.addModule("capture.js");
    const source = microphone.#context.createMediaStreamSource(microphone.#stream);
    const capture = new AudioWorkletNode(microphone.#context, "capture", { numberOfOutputs: 0 });
    capture.port.addEventListener("message", (event) => {
      microphone.#take(event.data);
      heard(event.data);
    });
    capture.port.start();
    source.connect(capture);
    await microphone.#context.resume();
    return microphone;
  }

  get rate() {
    return this.#context.sampleRate;
  }

  // Frames heard since the start.
  get frames() {
    return this.#frames;
  }

  #take(block) {
    this.#blocks.push(block);
    this.#frames += block.length;
    while ((this.#blocks.length - 1) * block.length >= this.#keptFrames) {
      this.#blocks.shift();
    }
  }

  // Returns the latest `count` frames that are kept, or null if fewer have been heard.
  latest(count) {
    const found = new Float32Array(count);
    let left = count;
    for (let i = this.#blocks.length - 1; i >= 0 && left > 0; i--) {
      const part = this.#blocks[i].subarray(Math.max(0, this.#blocks[i].length - left));
      left -= part.length;
      found.set(part, left);
    }
    return left > 0 ? null : found;
  }

  async close() {
    for (const track of this.#stream.getTracks()) {
      track.stop();
    }
    await this.#context.close();
  }
}

// Returns a WAV file of one channel and 16 bits.
export function wavFile(frames, rate) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + 2 * frames.length));
  const text = (at, word) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + 2 * frames.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * frames.length, true);
  frames.forEach((value, i) => {
    const scaled = Math.round(value * FULL_SCALE);
    view.setInt16(HEADER_BYTES + 2 * i, Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, scaled)), true);
  });
  return view.buffer;
}
