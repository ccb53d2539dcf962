// SPDX-License-Identifier: Apache-2.0
// Runs beside the page, where sound must not wait: collects blocks and hands them on.

const BLOCK_FRAMES = 1024;

class Capture extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK_FRAMES);
  #used = 0;

  process([input]) {
    if (input.length > 0) {
      for (let frame = 0; frame < input[0].length; frame++) {
        let sum = 0;
        for (const channel of input) {
          sum += channel[frame];
        }
        this.#block[this.#used++] = sum / input.length;
        if (this.#used === BLOCK_FRAMES) {
          this.port.postMessage(this.#block.slice());
          this.#used = 0;
        }
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
