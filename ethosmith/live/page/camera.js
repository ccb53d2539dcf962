// SPDX-License-Identifier: Apache-2.0
// The camera's picture as a PNG file: nothing is lost on the way, and the device scales it.

export class Camera {
  #stream;
  #video;

  static async open(video) {
    const camera = new Camera();
    camera.#stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
    camera.#video = video;
    video.srcObject = camera.#stream;
    await video.play();
    return camera;
  }

  async picture() {
    const canvas = document.createElement("canvas");
    canvas.width = this.#video.videoWidth;
    canvas.height = this.#video.videoHeight;
    canvas.getContext("2d").drawImage(this.#video, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    return blob.arrayBuffer();
  }

  close() {
    for (const track of this.#stream.getTracks()) {
      track.stop();
    }
    this.#video.srcObject = null;
  }
}
