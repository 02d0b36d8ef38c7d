// A photograph from the camera of this device. Nothing leaves the browser until the user takes it.

import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { notice } from "./notices.js";

const REASONS = { NotAllowedError: "camera.refused", NotFoundError: "camera.none", NotReadableError: "camera.busy" };

/**
 * Start the camera.
 * @param {AbortSignal} signal Stops it.
 * @param {string} [device] Which; else the one that faces the user, if there are several.
 * @returns {Promise<HTMLVideoElement>} Playing. Throws DOMException; see whyNot.
 */
export async function startCamera(signal, device) {
  // Browsers hide cameras from pages that came over plain HTTP from another machine.
  if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
  const which = device ? { deviceId: { exact: device } } : { facingMode: "user" };
  const stream = await navigator.mediaDevices.getUserMedia({ video: { ...which, width: { ideal: 1280 } } });
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const video = h("video", { playsinline: true, muted: true });
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  return video;
}

/** Why there is no camera, for people. @param {DOMException} error */
export function whyNot(error) {
  const key = REASONS[error.name] ?? (window.isSecureContext ? "camera.none" : "camera.insecure");
  return notice({ kind: "warn", title: t(key), text: t(`${key}.text`) });
}

/**
 * What the camera shows, as a JPEG.
 * @param {HTMLVideoElement} video
 * @param {{quality?: number, most?: number}} [about] `most`: pixels of the longer side.
 * @returns {Promise<File>}
 */
export async function snapshot(video, { quality = 0.92, most = Infinity } = {}) {
  const scale = Math.min(1, most / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight].map((side) => Math.round(side * scale));
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  return new File([blob], "camera.jpg", { type: "image/jpeg" });
}

/**
 * Let the user take a photograph.
 * @param {{take: (file: File) => void, signal: AbortSignal}} about
 */
export async function openCamera({ take, signal }) {
  const closed = new AbortController();
  const view = h("div.camera.stack", h("div.skeleton", { style: { height: "16rem" } }));
  const shoot = h("button.button.primary", { type: "button", disabled: true }, icon("camera"), t("camera.take"));
  const dialog = openDialog({ title: t("camera.title"), body: view, actions: [shoot], signal, onclose: () => closed.abort() });
  try {
    const video = await startCamera(closed.signal);
    video.classList.add("mirrored"); // As a mirror shows it; the photograph is not mirrored.
    fill(view, video);
    shoot.disabled = false;
    shoot.focus();
    shoot.addEventListener("click", async () => {
      const file = await snapshot(video);
      dialog.close();
      take(file);
    });
  } catch (error) {
    fill(view, whyNot(error));
  }
}
