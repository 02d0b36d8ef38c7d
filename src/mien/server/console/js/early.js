// Before the first paint, so that nobody who chose dark sees a white flash. Classic script: modules come later.
try {
  const theme = localStorage.getItem("mien.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the console follows the system.
}
