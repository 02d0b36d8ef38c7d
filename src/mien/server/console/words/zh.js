// 控制台的全部中文文字，按主题分。键与 en.js 相同。

import { words as audit } from "./zh/audit.js";
import { words as calibration } from "./zh/calibration.js";
import { words as cases } from "./zh/cases.js";
import { words as clusters } from "./zh/clusters.js";
import { words as docs } from "./zh/docs.js";
import { words as errors } from "./zh/errors.js";
import { words as faces } from "./zh/faces.js";
import { words as frame } from "./zh/frame.js";
import { words as jobs } from "./zh/jobs.js";
import { words as keys } from "./zh/keys.js";
import { words as live } from "./zh/live.js";
import { words as look } from "./zh/look.js";
import { words as machine } from "./zh/machine.js";
import { words as people } from "./zh/people.js";
import { words as recognition } from "./zh/recognition.js";
import { words as shared } from "./zh/shared.js";

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
