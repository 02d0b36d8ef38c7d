// Jobs: long work on many photographs. The address says whether all are listed, one is shown, or one is made.

import { listJobs } from "./jobs/list.js";
import { makeJob } from "./jobs/make.js";
import { showJob } from "./jobs/one.js";

const NEW = "new";

export function mount(root, about) {
  const [id] = about.params;
  if (id === undefined) return listJobs(root, about);
  return id === NEW ? makeJob(root, about) : showJob(root, id, about);
}
