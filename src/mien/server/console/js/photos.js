// Photographs that the user handed over. They stay in this browser until a request sends them.

/**
 * @typedef {object} Photo
 * @property {File} file
 * @property {string} name
 * @property {HTMLImageElement | null} image Upright, as cameras mean it; null if the browser cannot show this format.
 * @property {[number, number] | null} size_wh In pixels, upright.
 */

/**
 * Take a file as a photograph.
 * @param {File} file
 * @param {AbortSignal} signal Lets go of it.
 * @returns {Promise<Photo>}
 */
export async function takePhoto(file, signal) {
  const url = URL.createObjectURL(file);
  signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  const image = new Image();
  image.alt = "";
  image.src = url;
  try {
    await image.decode();
  } catch {
    return { file, name: file.name, image: null, size_wh: null };
  }
  return { file, name: file.name, image, size_wh: [image.naturalWidth, image.naturalHeight] };
}

/** Show a photograph once more. @param {Photo} photo */
export function copyOf(photo) {
  const image = new Image();
  image.alt = "";
  if (photo.image) image.src = photo.image.src;
  return image;
}

/**
 * A face, cut out of its photograph with a little around it.
 * @param {Photo} photo
 * @param {number[]} box xyxy in pixels of `size_wh`.
 * @param {[number, number]} size_wh
 * @param {number} side Of the square, in CSS pixels.
 * @returns {HTMLCanvasElement}
 */
export function cutOut(photo, box, size_wh, side) {
  const canvas = document.createElement("canvas");
  const dense = Math.ceil(window.devicePixelRatio || 1);
  canvas.width = canvas.height = side * dense;
  canvas.className = "thumb";
  if (!photo.image) return canvas;
  const [x1, y1, x2, y2] = box;
  const scale = photo.image.naturalWidth / size_wh[0];
  const wide = Math.max(x2 - x1, y2 - y1) * 1.35 * scale;
  const left = ((x1 + x2) / 2) * scale - wide / 2;
  const top = ((y1 + y2) / 2) * scale - wide / 2;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(photo.image, left, top, wide, wide, 0, 0, canvas.width, canvas.height);
  return canvas;
}
