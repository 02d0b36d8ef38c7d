// What came of enrolling: how many faces are kept, whom they resemble, and which photographs gave none.

import { h } from "../../js/dom.js";
import { number, t, tOr } from "../../js/i18n.js";
import { errorNotice, notice } from "../../js/notices.js";
import { personHash, photoName } from "../../js/people.js";

/**
 * @param {object} about
 * @param {import("./sending.js").Report} about.report
 * @param {string} about.person The name.
 * @param {string} about.collection
 * @param {() => void} about.largest Sends those that failed again, with the largest face of each.
 * @param {() => void} about.leave Before another page is gone to.
 */
export function reportOf({ report, person, collection, largest, leave }) {
  const { faces, repeated, error } = report;
  const failures = report.failures.filter((one) => one.error);
  return h("div.stack", { role: "status" },
    faces.length > 0 && notice({ kind: "good", title: t("enrolled.faces", { n: faces.length, name: person }) }),
    repeated > 0 && notice({ title: t("enrolled.repeated", { n: repeated }), text: t("enrolled.repeated.text") }),
    report.resembles.length > 0 && resembling(report.resembles, person, collection, leave),
    failures.length > 0 && failed(failures, largest),
    error && errorNotice(error));
}

function resembling(matches, person, collection, leave) {
  const nearest = new Map();
  for (const one of matches) if (!(nearest.get(one.person_id)?.distance < one.distance)) nearest.set(one.person_id, one);
  return notice({
    kind: "warn",
    title: t("enrolled.resembles", { name: person }),
    text: t("enrolled.resembles.text"),
    more: h("ul", [...nearest.values()].map((one) => h("li",
      h("a", { href: personHash(collection, one.person_id), onclick: leave }, one.person), " ", h("span.soft.small", t("enrolled.distance", { distance: number(one.distance, 3) }))))),
  });
}

/**
 * Photographs that gave no face, and why.
 * @param {{file: File | null, error: any, name?: string}[]} failures
 * @param {() => void} largest Tries again with the largest face of each.
 */
export function failed(failures, largest) {
  const many = failures.some((one) => one.error.code === "many_faces");
  return notice({
    kind: "bad",
    title: t("enrolled.failed", { n: failures.length }),
    more: [
      h("ul.failures", failures.map(({ file, name, error }) => h("li",
        h("span.strong.clip", file?.name ?? photoName(name ?? "")),
        h("span", tOr(`error.${error.code}`, error.message)),
        h("span.soft.small", error.code === "face_refused" ? error.message : tOr(`error.${error.code}.hint`, error.hint)),
        h("code.small", error.code)))),
      many && h("div.row", h("button.button.small", { type: "button", onclick: largest }, t("compare.largest"))),
    ],
  });
}
