// The calculator's form answered as it is filled: asks the server for the answer's part of the page, keeps nothing.
const form = document.querySelector("form.entry");
const region = document.getElementById("region");
const told = document.getElementById("told");
const PAUSE = 250;
const SLOW = 1000;
let last = 0;
let pause;
let slow;
let running;

function entry() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) query.append(name, value);
  return query;
}

// The live line speaks only when what it says has changed.
function tell(text) {
  if (told.textContent !== text) told.textContent = text;
}

function instead(text, again) {
  const words = document.createElement("p");
  words.className = "stop";
  words.textContent = text;
  region.replaceChildren(words);
  if (again) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = form.dataset.again;
    button.addEventListener("click", ask);
    region.append(button);
  }
  tell(text);
}

function tellFields() {
  const found = new Map();
  for (const each of region.querySelectorAll("[data-field]")) {
    const name = each.dataset.field;
    found.set(name, [...(found.get(name) ?? []), each.textContent]);
  }
  for (const words of form.querySelectorAll(".field-problem")) {
    const name = words.id.replace("problem-", "");
    const problems = found.get(name);
    words.hidden = !problems;
    words.textContent = problems ? problems.join(" ") : "";
    const input = form.elements[name];
    if (problems) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

function show(html) {
  const opened = [...region.querySelectorAll("details")].map((each) => each.open);
  const inside = region.contains(document.activeElement);
  region.innerHTML = html;
  // What was opened stays open where the answer has the same parts.
  const parts = region.querySelectorAll("details");
  if (parts.length === opened.length) parts.forEach((each, number) => (each.open = opened[number]));
  if (inside) document.getElementById("answer").focus();
  const answer = region.querySelector(".answer");
  history.replaceState(null, "", answer.dataset.query ? `/?${answer.dataset.query}` : "/");
  tell(answer.dataset.told || region.querySelector(".empty, .stop")?.textContent || "");
  tellFields();
  offerCopies();
}

async function ask() {
  const mine = ++last;
  clearTimeout(pause);
  clearTimeout(slow);
  running?.abort();
  running = new AbortController();
  region.classList.add("waits");
  region.setAttribute("aria-busy", "true");
  // An old answer must not stand beside a new entry for long.
  slow = setTimeout(() => mine === last && instead(form.dataset.waiting), SLOW);
  let then;
  try {
    const response = await fetch(`${form.dataset.answer}?${entry()}`, { signal: running.signal });
    const html = await response.text();
    then = response.ok ? () => show(html) : () => instead(form.dataset.failedStatus.replace("{status}", response.status), true);
  } catch {
    then = () => instead(form.dataset.failed, true);
  }
  if (mine !== last) return;
  clearTimeout(slow);
  region.classList.remove("waits");
  region.removeAttribute("aria-busy");
  then();
}

function offerCopies() {
  for (const button of region.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(document.getElementById(button.dataset.copy)));
  }
}

async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    tell(form.dataset.copied);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    tell(form.dataset.byHand);
  }
}

form.addEventListener("input", () => {
  clearTimeout(pause);
  region.classList.add("waits");
  pause = setTimeout(ask, PAUSE);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
offerCopies();
