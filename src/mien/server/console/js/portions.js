// More photographs than a request may hold go in several, one after the other.

const ROOM = 0.9; // Of the largest body: a form has more in it than its files.
const A_FEW = 12; // So that progress is seen.

/**
 * @param {File[]} files
 * @param {{max_body_bytes: number, max_photographs: number}} limits Of the server.
 * @returns {File[][]} In the same order; a file that is too large goes alone, and the server says so.
 */
export function portionsOf(files, limits) {
  const most = Math.min(A_FEW, limits.max_photographs);
  const portions = [];
  let bytes = Infinity;
  for (const file of files) {
    bytes += file.size;
    if (bytes > ROOM * limits.max_body_bytes || portions.at(-1).length >= most) {
      portions.push([]);
      bytes = file.size;
    }
    portions.at(-1).push(file);
  }
  return portions;
}
