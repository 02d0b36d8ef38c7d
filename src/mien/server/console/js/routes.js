// Every page: its address, name, icon, the scopes it needs, and its module, fetched when it is first opened.

const page = (path, icon, scopes) => Object.freeze({
  path, icon, scopes, title: `${path}.title`, load: () => import(`../pages/${path}.js`),
});

/** Pages in groups, in the order of the navigation. */
export const GROUPS = Object.freeze([
  { title: "nav.look", pages: [page("analyze", "analyze", ["detect"]), page("compare", "compare", ["verify"]), page("live", "live", ["detect"])] },
  {
    title: "nav.people",
    pages: [
      page("people", "people", ["search"]),
      page("identify", "identify", ["search"]),
      page("search", "search", ["search"]),
      page("missing", "missing", ["search"]),
      page("clusters", "clusters", ["search"]),
    ],
  },
  { title: "nav.work", pages: [page("jobs", "jobs", [])] },
  { title: "nav.measure", pages: [page("calibration", "measure", ["admin"])] },
  { title: "nav.machine", pages: [page("system", "system", []), page("keys", "keys", ["admin"]), page("audit", "audit", ["admin"])] },
]);

/** What small screens show below, as far as the caller may; the menu has the rest. */
export const BELOW = Object.freeze(["analyze", "compare", "identify", "people", "jobs"]);
