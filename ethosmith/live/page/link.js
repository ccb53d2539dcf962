// SPDX-License-Identifier: Apache-2.0
// The connection to the build's server: a file with a header goes out, an object comes back.

export class Link {
  #socket;
  #waiting = new Map();
  #number = 0;

  // `hello` gets what the server says first; `closed` is called when it has gone.
  constructor(hello, closed) {
    const address = new URL("socket", location.href);
    address.protocol = "ws:";
    this.#socket = new WebSocket(address);
    this.#socket.addEventListener("message", (event) => this.#receive(JSON.parse(event.data), hello));
    this.#socket.addEventListener("close", () => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error("the connection has ended"));
      }
      this.#waiting.clear();
      closed();
    });
  }

  // Sends a file (an ArrayBuffer) and returns what the server makes of it.
  send(task, name, data, label = "") {
    const number = ++this.#number;
    const header = new TextEncoder().encode(JSON.stringify({ task, number, name, label }));
    const size = new DataView(new ArrayBuffer(4));
    size.setUint32(0, header.length, true);
    this.#socket.send(new Blob([size, header, data]));
    return new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
  }

  #receive(message, hello) {
    const waiting = this.#waiting.get(message.number);
    this.#waiting.delete(message.number);
    if (message.number === 0) {
      hello(message);
    } else if (message.kind === "problem") {
      waiting?.reject(new Error(message.text));
    } else {
      waiting?.resolve(message);
    }
  }
}
