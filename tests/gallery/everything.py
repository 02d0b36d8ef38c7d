"""What lies on a disk, byte for byte."""

import numpy as np


class Everything:
    """All bytes of all files in some folders."""

    def __init__(self, *folders):
        found = [path for folder in folders for path in (folder, *sorted(folder.rglob("*")))]
        paths = [path for path in found if path.is_file()]
        self.files = {path: path.read_bytes() for path in paths}
        words = [np.frombuffer(content[: len(content) // 8 * 8], "<u8") for content in self.files.values()]
        self.words = np.unique(np.concatenate([*words, np.zeros(0, "<u8")]))

    def holds(self, content):
        """Whether any 16 successive bytes of something lie anywhere."""
        # Wherever 16 bytes lie, they cover 8 that begin at a multiple of 8.
        grams = np.lib.stride_tricks.sliding_window_view(np.frombuffer(content, np.uint8), 8)
        grams = np.ascontiguousarray(grams).view("<u8").ravel()
        place = np.minimum(np.searchsorted(self.words, grams), len(self.words) - 1)
        near = np.flatnonzero(self.words[place] == grams)
        starts = {start for i in near.tolist() for start in range(max(i - 8, 0), i + 1)}
        return any(self.where(content[start : start + 16]) for start in starts if start + 16 <= len(content))

    def holds_text(self, text):
        return any(self.where(text.encode(code)) for code in ("utf-8", "utf-16-le", "utf-16-be"))

    def where(self, content):
        return [str(path) for path, found in self.files.items() if content in found]
