// The console begins here: who is asking, then the frame with the pages they may see, or the question for a key.

import { ApiError, refusals } from "./api.js";
import { fill, h } from "./dom.js";
import { buildFrame } from "./frame.js";
import { announce } from "./i18n.js";
import { errorNotice } from "./notices.js";
import { hasKey, open, signOut, whoami } from "./session.js";
import { signInPanel } from "./sign-in.js";

let closeFrame = () => {};

async function start() {
  closeFrame();
  closeFrame = () => {};
  try {
    await open();
    showFrame();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) askForKey(hasKey());
    else fill(document.body, h("main.sign-in", errorNotice(error, { again: start })));
  }
}

function showFrame() {
  closeFrame = buildFrame(document.body, leave);
}

/** @param {boolean} refused Whether there was a key, and it no longer serves. */
function askForKey(refused) {
  closeFrame();
  closeFrame = () => {};
  signOut();
  fill(document.body, signInPanel({ refused, done: showFrame }));
  document.body.querySelector("input")?.focus();
}

function leave() {
  signOut();
  start();
}

// A key that is revoked or expires while the console is open.
refusals.addEventListener("unauthenticated", () => {
  if (whoami()) askForKey(true);
});
announce();
start();
