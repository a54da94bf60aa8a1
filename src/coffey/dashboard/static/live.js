// Keeps a page up to date: asks for its changing part, and replaces the pieces that are new.
// The playground's form is answered in place. Without this script pages still work, by being loaded again.

const EVERY_MS = 3000;
const LOADING_MS = 600;
const main = document.getElementById("main");
const pulse = document.getElementById("pulse");
let tag = null;
let lastSeen = null;

const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

function say(words, lost = false) {
  if (pulse.textContent !== words) pulse.textContent = words;
  pulse.classList.toggle("lost", lost);
}

const pieces = (root) => [...root.querySelectorAll(":scope > [data-piece], :scope > section, :scope > .tiles, :scope > nav, :scope > footer")];
const nameOf = (piece) => piece.dataset.piece || piece.id || piece.tagName + piece.className.split(" ")[0];

// What a reader has opened or scrolled stays so in the piece that takes its place.
function replace(old, fresh) {
  const opened = [...old.querySelectorAll("details")].map((one) => one.open);
  [...fresh.querySelectorAll("details")].forEach((one, index) => { one.open = opened[index] ?? false; });
  const scrolled = [...old.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
  const reachable = (root) => [...root.querySelectorAll("a, summary, button, [tabindex]")];
  const focused = reachable(old).indexOf(document.activeElement);
  old.replaceWith(fresh);
  [...fresh.querySelectorAll(".scroll")].forEach((one, index) => {
    [one.scrollLeft, one.scrollTop] = scrolled[index] ?? [0, 0];
  });
  if (focused >= 0) reachable(fresh)[focused]?.focus({ preventScroll: true });
}

function show(text, before) {
  const next = document.createElement("main");
  next.innerHTML = text;
  const fresh = pieces(next);
  const known = new Map(pieces(main).map((piece) => [nameOf(piece), piece]));
  const same = fresh.length === known.size && fresh.every((piece) => known.has(nameOf(piece)));
  if (!same) {
    main.replaceChildren(...next.childNodes);
    return;
  }
  const was = document.createElement("main");
  was.innerHTML = before ?? "";
  const old = new Map(pieces(was).map((piece) => [nameOf(piece), piece.outerHTML]));
  for (const piece of fresh) {
    const name = nameOf(piece);
    if (old.get(name) !== piece.outerHTML) replace(known.get(name), piece);
  }
}

let before = null;

async function look(address) {
  const response = await fetch(address, {
    headers: tag ? { "If-None-Match": tag } : {},
    credentials: "same-origin",
    cache: "no-store",
  });
  if (response.status === 401) {
    location.reload();
    return;
  }
  if (response.status !== 304) {
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = await response.text();
    tag = response.headers.get("etag");
    show(text, before);
    before = text;
  }
  lastSeen = new Date();
  say(`Live, ${clock(lastSeen)}`);
}

async function follow(address) {
  if (document.visibilityState === "visible") {
    try {
      await look(address);
    } catch {
      say(lastSeen ? `No answer since ${clock(lastSeen)}; trying again` : "No answer; trying again", true);
    }
  }
  setTimeout(follow, main.querySelector("[data-loading]") ? LOADING_MS : EVERY_MS, address);
}

function note(words, tone = "") {
  const made = document.createElement("p");
  made.className = `note ${tone}`;
  made.textContent = words;
  return made;
}

async function ask(event) {
  event.preventDefault();
  const form = event.target;
  const place = document.getElementById("answer");
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  const buttons = [...form.querySelectorAll("button")];
  buttons.forEach((button) => { button.disabled = true; });
  place.setAttribute("aria-busy", "true");
  const waiting = setTimeout(() => place.replaceChildren(note("Still at work. A model that is loaded for the first time takes a while.")), 1500);
  try {
    const response = await fetch(form.getAttribute("action"), {
      method: "POST",
      body: fields,
      headers: { "X-Coffey-Part": "answer" },
      credentials: "same-origin",
    });
    if (!response.ok) throw new Error(`The dashboard refused this (status ${response.status}).`);
    const text = await response.text();
    clearTimeout(waiting);
    place.innerHTML = text;
  } catch (problem) {
    place.replaceChildren(note(`${problem.message} Load the page and try again.`, "bad"));
  } finally {
    clearTimeout(waiting);
    place.removeAttribute("aria-busy");
    buttons.forEach((button) => { button.disabled = false; });
    event.submitter?.focus({ preventScroll: true });
  }
}

if (main.dataset.part) follow(main.dataset.part);
document.querySelector("[data-ask]")?.addEventListener("submit", ask);
