// Files with the folders they lie in: chosen as a folder, or dropped with it.

/** @type {WeakMap<File, string>} Of files that were dropped within folders. */
const dropped = new WeakMap();

/** A file with its folders, such as "staff/Ada/1.jpg". @param {File} file */
export const pathOf = (file) => dropped.get(file) || file.webkitRelativePath || file.name;

/** The folder that a file lies in; empty if none is known. @param {File} file */
export const folderOf = (file) => pathOf(file).split("/").at(-2) ?? "";

/** As people sort: 2 before 10. @param {File[]} files */
export function inOrder(files) {
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  return [...files].sort((a, b) => compare(pathOf(a), pathOf(b)));
}

/** Everything that was dropped, with what lies in dropped folders. @param {DataTransfer} transfer @returns {Promise<File[]>} */
export async function filesWithin(transfer) {
  // Both are gone once this task is over, so they are taken before anything is waited for.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry.isDirectory)) return plain;
  return (await Promise.all(entries.map(within))).flat();
}

/** @param {any} entry @returns {Promise<File[]>} */
async function within(entry) {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    dropped.set(file, entry.fullPath.replace(/^\//, ""));
    return [file];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A hundred at a time.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return (await Promise.all(found.map(within))).flat();
    found.push(...some);
  }
}
