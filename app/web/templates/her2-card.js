/* <her2-card>: Herald's HER2 answer within another page (docs/embed.md).
   All is inserted as text, and styles are a constructed sheet: a strict policy of the page is kept. */
(() => {
  "use strict";
  if (customElements.get("her2-card")) return;
  const WORDS = {{ words | tojson }};
  const HER2_LOW = {{ her2_low | tojson }};
  const VALUES = {{ parameters | join(" ") | tojson }}.split(" ");
  const CAME_FROM = document.currentScript ? new URL(".", document.currentScript.src).href : "";
  const CALM = 150; // ms of no change before asking
  const LATE = 20000; // ms until waiting ends

  const DARK = `color-scheme: dark; --ink: #e6e9ec; --faint: #a8b1ba; --paper: #14181c; --soft: #1d2329;
    --rule: #3a424b; --accent: #7db8f2; --stop: #ff9c88; --open: #f0c070; --done: #86d19d;`;
  const STYLE = new CSSStyleSheet();
  STYLE.replaceSync(`
:host { display: block; }
:host([hidden]) { display: none; }
.card { all: initial; display: block; box-sizing: border-box; color-scheme: light;
  --ink: #1b1f24; --faint: #57606a; --paper: #fff; --soft: #f3f5f7; --rule: #c9d1d9;
  --accent: #0b5cad; --stop: #a3260f; --open: #7a4b00; --done: #1a6334; --bar: var(--rule);
  font: medium/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); border: 1px solid var(--rule); border-left: 5px solid var(--bar);
  border-radius: 4px; padding: .75em 1em; overflow-wrap: anywhere; }
:host([theme=dark]) .card { ${DARK} }
@media (prefers-color-scheme: dark) { :host(:not([theme=light])) .card { ${DARK} } }
.final { --bar: var(--done); } .open { --bar: var(--open); } .stop { --bar: var(--stop); }
* { box-sizing: border-box; }
h2, h3, h4, p, ul, dl, dd { margin: 0; }
h2 { font-size: 1.6em; line-height: 1.2; }
h3 { font-size: 1em; margin-top: .75em; }
h4 { font-size: .9em; margin-top: .5em; }
ul { padding-left: 1.2em; }
.marks { display: flex; flex-wrap: wrap; gap: .35em; margin: .4em 0 .5em; }
.mark { display: inline-block; border: 1px solid var(--rule); border-radius: 3px; padding: 0 .5em; font-size: .875em;
  background: var(--soft); }
.mark::first-letter, dt::first-letter { text-transform: uppercase; }
h2 .mark { font-size: .625em; font-weight: 700; border: 2px solid var(--bar); vertical-align: middle; white-space: nowrap; }
.open h2 .mark { border-style: dashed; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13em), 1fr)); gap: .4em 1.25em;
  margin-top: .6em; font-size: .9em; }
dt { color: var(--faint); }
.small { font-size: .9em; }
.faint { color: var(--faint); }
section + section { border-top: 1px solid var(--rule); margin-top: .75em; }
details p { margin-top: .5em; }
details { border-top: 1px solid var(--rule); margin-top: .75em; }
summary { cursor: pointer; font-weight: 600; min-height: 24px; padding: .35em 0; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16em), 1fr)); gap: 0 1.25em; }
.foot { border-top: 1px solid var(--rule); margin-top: .75em; padding-top: .4em; font-size: .8125em; color: var(--faint); }
a { color: var(--accent); display: inline-block; min-height: 24px; }
button { font: inherit; font-weight: 600; min-height: 2.25em; padding: .2em .8em; margin-top: .5em; cursor: pointer;
  color: var(--paper); background: var(--accent); border: 1px solid var(--accent); border-radius: 4px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`);

  /** A refusal to show a status. kind: the name of its words; problems: of a problem document. */
  class NoStatus extends Error {
    constructor(kind, told = {}) {
      super(kind);
      this.kind = kind;
      this.status = told.status ?? null;
      this.detail = told.detail ?? "";
      this.problems = Array.isArray(told.problems) ? told.problems : [];
    }
  }

  const say = (key, values = {}) => WORDS[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  const time = (at) => new Date(at).toISOString().slice(0, 16).replace("T", " ") + " UTC";

  /** An element with its class and children; text stays text. */
  function make(name, kind, ...children) {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const list = (texts) => make("ul", "", ...texts.map((text) => make("li", "", text)));
  const titled = (title, texts) => (texts.length ? [make("h3", "", title), list(texts)] : []);
  const fact = (name, ...told) => make("div", "", make("dt", "", name), ...told.map((each) => make("dd", "", each)));

  class Her2Card extends HTMLElement {
    static observedAttributes = ["result", "api", "token-callback", "compact", ...VALUES];
    #case = null;
    #token = null;
    #turn = 0;
    #timer = 0;
    #stop = null;
    #opened = new Set();
    #told = make("p", "hidden");
    #body = make("div");
    #card = make("div", "card", this.#told, this.#body);

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [STYLE];
      this.#card.setAttribute("role", "region");
      this.#card.setAttribute("aria-label", say("label"));
      this.#card.tabIndex = -1;
      this.#told.setAttribute("role", "status");
      root.append(this.#card);
    }

    /** A case document (object, or JSON text, which keeps digits) instead of attributes. */
    get case() { return this.#case; }
    set case(given) {
      this.#case = given === null || given === undefined ? null : typeof given === "string" ? given : JSON.stringify(given);
      this.refresh();
    }

    /** A function that gives a token, or a promise of one. */
    get token() { return this.#token; }
    set token(given) {
      this.#token = given;
      this.refresh();
    }

    connectedCallback() {
      for (const name of ["case", "token"]) { // set before this script came
        if (Object.hasOwn(this, name)) {
          const given = this[name];
          delete this[name];
          this[name] = given;
        }
      }
      document.addEventListener("visibilitychange", this.#seenAgain);
      this.refresh();
    }

    disconnectedCallback() {
      document.removeEventListener("visibilitychange", this.#seenAgain);
      this.#leave();
    }

    attributeChangedCallback(_, before, after) {
      if (before !== after) this.refresh();
    }

    /** Ask again; the old answer is taken away at once. */
    refresh() {
      this.#leave();
      if (!this.isConnected) return;
      this.#body.style.minHeight = `${this.#body.offsetHeight}px`; // the page around does not jump
      this.#show([make("p", "", say("loading"))], "", say("loading"));
      this.#card.setAttribute("aria-busy", "true");
      this.#timer = setTimeout(() => this.#answer(this.#turn), CALM);
    }

    // A stored result can have changed while nobody looked.
    #seenAgain = () => {
      if (document.visibilityState === "visible" && this.hasAttribute("result")) this.refresh();
    };

    #leave() {
      this.#turn += 1;
      clearTimeout(this.#timer);
      this.#stop?.abort();
    }

    async #answer(turn) {
      let shown, event;
      this.#stop = new AbortController();
      const late = setTimeout((stop) => stop.abort(), LATE, this.#stop);
      try {
        const { answer, result, base } = await this.#asked(this.#stop.signal);
        if (turn !== this.#turn) return;
        shown = this.#drawn(answer, result, base);
        event = ["her2-answer", { answer, result }];
      } catch (error) {
        if (turn !== this.#turn) return;
        // Anything that cannot be drawn whole is not an answer.
        const none = error instanceof NoStatus ? error : new NoStatus("unreadable");
        shown = this.#refused(none);
        event = ["her2-error", { kind: none.kind, status: none.status, problems: none.problems }];
      } finally {
        clearTimeout(late);
      }
      this.#card.removeAttribute("aria-busy");
      this.#body.style.minHeight = "";
      this.#show(...shown);
      this.dispatchEvent(new CustomEvent(event[0], { detail: event[1], bubbles: true, composed: true }));
    }

    #show(nodes, kind, told) {
      const held = this.shadowRoot.activeElement;
      this.#body.replaceChildren(...nodes);
      this.#card.className = `card ${kind}`;
      this.#told.textContent = told;
      if (held) this.#card.focus({ preventScroll: true });
    }

    /** What is asked: path, and body of a POST. Two at once are refused. */
    #question() {
      const given = VALUES.map((name) => [name, (this.getAttribute(name) ?? "").trim()]).filter(([, value]) => value);
      const result = (this.getAttribute("result") ?? "").trim();
      const ways = [result, this.#case, given.length].filter(Boolean).length;
      if (ways > 1) throw new NoStatus("both");
      if (result) return { path: `results/${encodeURIComponent(result)}`, result };
      if (this.#case) return { path: "her2/classify", body: this.#case };
      if (given.every(([name]) => name === "edition")) throw new NoStatus("nothing");
      return { path: `her2/classify?${new URLSearchParams(given)}` };
    }

    async #headers(body) {
      const headers = { Accept: "application/json" };
      if (body) headers["Content-Type"] = "application/json";
      const name = this.getAttribute("token-callback");
      const give = this.#token ?? (name ? window[name] : null);
      if (give === null) return headers;
      try {
        const token = await give();
        if (token) headers.Authorization = `Bearer ${token}`;
      } catch {
        throw new NoStatus("token");
      }
      return headers;
    }

    async #asked(signal) {
      const { path, body, result } = this.#question();
      const api = this.getAttribute("api") || CAME_FROM;
      if (!api) throw new NoStatus("api");
      const base = new URL(api.endsWith("/") ? api : `${api}/`, document.baseURI).href;
      const headers = await this.#headers(body);
      let response;
      try {
        response = await fetch(new URL(path, base), {
          method: body ? "POST" : "GET", headers, body, signal,
          credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer",
        });
      } catch {
        throw new NoStatus("network");
      }
      const told = await response.json().catch(() => null);
      if (!response.ok) throw new NoStatus(this.#kind(response.status, told, result), { ...told, status: response.status });
      if (!result) return { answer: told, result: null, base };
      if (told?.id !== result) throw new NoStatus("unreadable");
      if (told.classification === null) throw new NoStatus("erased");
      return { answer: told.classification, result: told, base };
    }

    #kind(status, told, result) {
      if (status === 401 || status === 403) return "refused";
      if (result && status === 404 && told?.type === "urn:herald:problem:not_found") return "not_found";
      if (status === 429 || status >= 500) return "unavailable";
      return Array.isArray(told?.problems) && status !== 404 ? "invalid" : "unreadable";
    }

    #refused(none) {
      const again = ["network", "refused", "unavailable", "token", "unreadable"].includes(none.kind);
      const button = make("button", "", say("again"));
      button.type = "button";
      button.addEventListener("click", () => this.refresh());
      const problems = none.problems.map((each) => say("problem", each));
      const told = `${say("no_status")}: ${say(`error_${none.kind}`)}`;
      return [[
        make("h2", "", say("no_status")),
        make("p", "", say(`error_${none.kind}`)),
        problems.length ? list(problems) : none.detail ? make("p", "small", none.detail) : null,
        again ? button : null,
      ].filter(Boolean), "stop", [told, ...problems].join(" ")];
    }

    #drawn(answer, result, base) {
      const text = (code) => answer.texts[code] ?? code;
      const status = say(`status_${answer.status}`);
      if (typeof answer.final !== "boolean") throw new NoStatus("unreadable");
      const final = say(answer.final ? "final" : "not_final");
      const stands = result ? (result.signed ? say("signed") : result.confirmation) : say("computed");
      const steps = answer.next_steps.map(text);
      const flags = answer.flags.map(text);
      const notes = [...answer.report_notes, ...answer.notes].map(text);
      if (answer.retest) notes.unshift(say("retest", { text: text(answer.retest) }));
      const measured = answer.measured.map((each) => say(`measured_${each.name}`, each));
      const more = [
        make("dl", "",
          fact(say("low"), `${answer.her2_low.replaceAll("_", " ")}: ${HER2_LOW[answer.her2_low]}`),
          fact(say("group"), String(answer.ish_group ?? say("no_group"))),
          measured.length ? fact(say("measured"), ...measured) : null),
        ...titled(say("flags"), flags),
        ...titled(say("notes"), notes),
        this.#evidence(answer.considerations),
      ];
      const label = flags.length ? say("details_flags", { count: flags.length }) : say("details");
      return [[
        make("h2", "", `${status} `, make("span", "mark", final)),
        make("p", "marks", make("span", "mark", stands),
          answer.review_required ? make("span", "mark", say("review")) : null),
        make("p", "small", answer.summary),
        ...(answer.comment ? [make("h3", "", say("comment")), make("p", "", text(answer.comment))] : []),
        ...titled(say(answer.final ? "advice" : "next_steps"), steps),
        ...(answer.problems.length ? [list(answer.problems.map((each) => say("problem", each)))] : []),
        ...(this.hasAttribute("compact") ? [this.#folded("more", label, more)] : more),
        this.#foot(answer, result, base),
      ], answer.final ? "final" : "open", `${status}, ${final}, ${stands}`];
    }

    #evidence(weighed) {
      const finding = (each) => make("li", "", each.summary,
        each.cited_as.length ? ` ${say("cited", { cited: each.cited_as.join("; ") })}` : null,
        each.counts ? null : make("strong", "", ` ${say("not_counted")}`),
        each.caveats.length ? make("div", "faint", each.caveats.join(" ")) : null);
      const side = (name, statements, note) => make("div", "",
        make("h4", "", say(name, { count: statements.length })),
        statements.length ? make("ul", "", ...statements.map(finding)) : make("p", "", note || say("none")));
      const lines = (name, texts) => (texts.length ? [make("h4", "", say(name)), list(texts)] : []);
      const parts = weighed.considerations.map((each) => make("section", "",
        make("h3", "", each.title),
        make("div", "sides", side("for", each.for, ""), side("against", each.against, each.against_note)),
        ...lines("caveats", each.caveats),
        ...lines("not_concluded", each.must_not_conclude)));
      if (weighed.says_nothing) parts.push(make("p", "", weighed.says_nothing));
      parts.push(...titled(say("unknown"), weighed.missing.map((each) => each.text)));
      parts.push(make("p", "", weighed.general_caution), make("p", "", weighed.dated));
      const count = weighed.considerations.length;
      return this.#folded("evidence", count ? say("evidence", { count }) : say("evidence_none"), parts);
    }

    #folded(name, label, parts) {
      const made = make("details", "", make("summary", "", label), make("div", name === "evidence" ? "small" : "", ...parts));
      made.open = this.#opened.has(name);
      made.addEventListener("toggle", () => this.#opened[made.open ? "add" : "delete"](name));
      return made;
    }

    #foot(answer, result, base) {
      const now = time(Date.now());
      const told = result
        ? say("read", { now, version: result.version, at: time(result.version_created_at) })
        : say("computed_at", { now });
      const { edition, evidence, engine } = answer;
      const versions = say("versions", {
        edition: edition.version, pack: evidence.id, pack_version: evidence.version, engine,
      });
      const foot = make("div", "foot", make("p", "", told), make("p", "", versions));
      if (result?.patient_id) {
        const link = make("a", "", say("case_page"));
        link.href = new URL(`browser/patients/${encodeURIComponent(result.patient_id)}`, base).href;
        link.target = "_blank";
        link.rel = "noopener noreferrer";
        foot.append(link);
      }
      return foot;
    }
  }

  customElements.define("her2-card", Her2Card);
})();
