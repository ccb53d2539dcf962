// SPDX-License-Identifier: Apache-2.0
// Browsers start no worker from a file. Where the site is opened as files, this runs the search's
// worker in a hidden frame instead, under the name that the theme looks for.
"use strict";

class IFrameWorker extends EventTarget {
  #frame = document.createElement("iframe");
  #loaded;

  constructor(url) {
    super();
    this.#frame.hidden = true;
    document.body.append(this.#frame);
    const inside = this.#frame.contentWindow;
    inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    inside.importScripts = (...urls) => Promise.all(urls.map((one) => this.#load(one)));
    this.#loaded = this.#load(url);
  }

  postMessage(data) {
    const inside = this.#frame.contentWindow;
    this.#loaded.then(() => inside.dispatchEvent(new inside.MessageEvent("message", { data })));
  }

  terminate() {
    this.#frame.remove();
  }

  #load(url) {
    const inside = this.#frame.contentDocument;
    const script = inside.createElement("script");
    script.src = new URL(url, location.href).href;
    return new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = reject;
      inside.body.append(script);
    });
  }
}

if (location.protocol === "file:") {
  window.IFrameWorker = IFrameWorker;
  window.Worker = IFrameWorker;
}
