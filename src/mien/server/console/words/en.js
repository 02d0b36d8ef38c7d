// Every string of the console in English, by topic. zh.js has the same keys.

import { words as audit } from "./en/audit.js";
import { words as calibration } from "./en/calibration.js";
import { words as cases } from "./en/cases.js";
import { words as clusters } from "./en/clusters.js";
import { words as docs } from "./en/docs.js";
import { words as errors } from "./en/errors.js";
import { words as faces } from "./en/faces.js";
import { words as frame } from "./en/frame.js";
import { words as jobs } from "./en/jobs.js";
import { words as keys } from "./en/keys.js";
import { words as live } from "./en/live.js";
import { words as look } from "./en/look.js";
import { words as machine } from "./en/machine.js";
import { words as people } from "./en/people.js";
import { words as recognition } from "./en/recognition.js";
import { words as shared } from "./en/shared.js";

export const words = Object.freeze({
  ...audit,
  ...calibration,
  ...cases,
  ...clusters,
  ...docs,
  ...errors,
  ...faces,
  ...frame,
  ...jobs,
  ...keys,
  ...live,
  ...look,
  ...machine,
  ...people,
  ...recognition,
  ...shared,
});
