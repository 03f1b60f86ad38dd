"use strict";
// Looks up and draws. Every figure comes from the tables that Python wrote into this page, by the setting of each control. There is no
// formula here but `thousandth`, the share of a teacher's own counts that says which row of a table to read.
const T = JSON.parse(document.getElementById("tables").textContent);
const byId = (id) => document.getElementById(id);
const all = (selector) => Array.from(document.querySelectorAll(selector));
const LAST = T.steps.length;
const FIRST = {step: "1", sent: "", say: "", truth: "0", r: "0", picked: "nobody", seen: "0", policy: "chance", trained: "tested", eye: "0", own: "", ownr: "0"};
const CHOICES = {say: ["high", "right", "low"], truth: ["1"], seen: ["1"], eye: ["1"], picked: ["tenth"], policy: ["guideline", "suspicion"], trained: ["weighted", "everybody"]};
let now = {...FIRST};

const whole = (text, most) => (/^\d{1,6}$/.test(text) && Number(text) <= most ? Number(text) : null);

// What the address says, as far as it makes sense; anything else is as at first.
function read() {
  const said = new URLSearchParams(location.hash.slice(1));
  const found = {...FIRST};
  for (const key of Object.keys(FIRST)) {
    const value = said.get(key);
    if (value === null) continue;
    if (key in CHOICES && CHOICES[key].includes(value)) found[key] = value;
    if (key === "step" && whole(value, LAST)) found.step = String(Number(value));
    if ((key === "r" || key === "ownr") && whole(value, T.ratios.length - 1) !== null) found[key] = String(Number(value));
    if (key === "sent") found.sent = [...new Set(value.split("."))].filter((each) => whole(each, 20) && String(Number(each)) === each).slice(0, T.places).join(".");
    if (key === "own" && value.split(".").length === 4 && value.split(".").every((each) => each === "" || whole(each, 999999) !== null)) found.own = value;
  }
  return found;
}

function address(state) {
  const kept = Object.keys(FIRST).filter((key) => key === "step" || state[key] !== FIRST[key]);
  return "#" + kept.map((key) => key + "=" + state[key]).join("&");
}

function timed(name, draw) {
  const began = performance.now();
  draw();
  document.body.getBoundingClientRect(); // whatever the layout costs belongs to the redraw
  performance.measure("redraw", {start: began, end: performance.now(), detail: name});
}

// A control was used: draw again, and keep it in the address (of a slider only where it comes to rest: browsers slow down pages that
// change their address all the time).
function set(change, kept = true) {
  now = {...now, ...change};
  if (kept) history.replaceState(null, "", address(now));
  timed(Object.keys(change)[0], drawAll);
}

function go(step) {
  location.hash = address({...now, step: String(step)});
}

function show(view) {
  for (const [id, words] of Object.entries(view.text)) say(id, words);
  for (const [id, attributes] of Object.entries(view.attr)) for (const [name, value] of Object.entries(attributes)) byId(id).setAttribute(name, value);
  for (const [group, n] of Object.entries(view.upto || {})) Array.from(byId("dots-" + group).children).forEach((dot, i) => dot.classList.toggle("seen", i < n));
}

// Written only where it changes, so that nobody hears the same words again.
function say(id, words) {
  if (byId(id).textContent !== words) byId(id).textContent = words;
}

function counted() {
  const sent = now.sent === "" ? [] : now.sent.split(".").map((each) => Number(each) - 1);
  const cells = {tp: 0, fn: 0, fp: 0, tn: 0};
  for (const i of sent) cells[T.twenty[i].ill ? (T.twenty[i].positive ? "tp" : "fn") : T.twenty[i].positive ? "fp" : "tn"] += 1;
  return {sent, cells, sensitivity: T.audits.sensitivity[cells.tp][cells.fn], specificity: T.audits.specificity[cells.tn][cells.fp], verdict: T.audits.verdict[cells.tp][cells.fn],
    finds: T.audits.finds[cells.tp][cells.fn], clears: T.audits.clears[cells.tn][cells.fp]};
}

function drawTwenty(of) {
  all("#cards .card").forEach((card, i) => {
    const sent = of.sent.includes(i);
    card.setAttribute("aria-pressed", String(sent));
    card.querySelector(".sent").textContent = sent ? "✓ sent" : "not sent";
    say("s1-sent-" + i, sent ? "yes" : "no");
  });
  const full = of.sent.length === T.places ? " All places are taken: to send another, take one back." : "";
  say("s1-summary", of.sent.length + " of " + T.places + " places for the definitive test are taken." + (of.sent.length === 0 ? " Press a patient to send them." : full));
}

function drawAudit(of) {
  const none = of.sent.length === 0;
  const hidden = none || now.say === "";
  byId("audit").hidden = hidden;
  for (const [id, of_cells] of [["s2-ill", [["tp", "+"], ["fn", "−"]]], ["s2-well", [["fp", "+"], ["tn", "−"]]]]) {
    byId(id).replaceChildren(...of_cells.flatMap(([cell, sign]) => Array.from({length: of.cells[cell]}, () => mark(sign, id.slice(3)))));
  }
  for (const cell of ["tp", "fp", "fn", "tn"]) say("s2-" + cell, hidden ? "?" : String(of.cells[cell]));
  if (none) say("s2-summary", "Nobody has been sent yet: go back to step 1 and send some.");
  else if (hidden) say("s2-summary", "Choose one of the three, and your audit appears.");
  else say("s2-summary", inWords("your audit", of) + " Is that what the test can do? Step 3 shows.");
}

const inWords = (where, of) => "In " + where + ": " + of.finds + "; " + of.clears + ".";

function mark(sign, kind) {
  const one = document.createElement("span");
  one.className = "mark " + kind;
  one.textContent = sign;
  return one;
}

function drawReveal(of) {
  const shown = now.truth === "1";
  byId("truth").checked = shown;
  all("[data-shown]").forEach((card, i) => {
    const sent = of.sent.includes(i);
    const known = sent || shown;
    card.querySelector(".mark").className = "mark " + (known ? (T.twenty[i].ill ? "ill" : "well") : "untold");
    card.querySelector(".sent").textContent = (sent ? "✓ " : "") + (known ? (T.twenty[i].ill ? "ill" : "well") : "unknown");
    card.classList.toggle("was-sent", sent);
  });
  const guess = now.say === "" || of.verdict === "" ? "" : "\nYou predicted that the sensitivity would come out " + T.words[now.say] + "; it came out " + T.outcomes[of.verdict] + ".";
  const yours = of.sent.length === 0 ? "You have sent nobody, so your audit says nothing." : inWords("your audit", of);
  say("s3-summary", yours + (shown ? "\n" + inWords("all twenty", T.all) + guess : of.sent.length === 0 ? "" : " Of the others nobody knows yet."));
  say("s3-se", of.sensitivity);
  say("s3-sp", of.specificity);
  say("s3-true-se", shown ? T.all.sensitivity : "not shown");
  say("s3-true-sp", shown ? T.all.specificity : "not shown");
}

// The one division: of the counts that were typed in, to the nearest thousandth, which is a row of the table.
const thousandth = (part, rest) => Math.round((1000 * part) / (part + rest));

function drawOwn() {
  const typed = now.own === "" ? ["", "", "", ""] : now.own.split(".");
  const names = ["tp", "fp", "fn", "tn"];
  names.forEach((name, i) => {
    if (document.activeElement !== byId("own-" + name)) byId("own-" + name).value = typed[i];
  });
  byId("own-slider").value = now.ownr;
  byId("own-slider").setAttribute("aria-valuetext", T.ratios[now.ownr] + " times as likely");
  say("own-r", T.ratios[now.ownr] + " times");
  const bad = names.some((name) => byId("own-" + name).validity.badInput || (byId("own-" + name).value !== "" && whole(byId("own-" + name).value, 999999) === null));
  const [tp, fp, fn, tn] = typed.map((each) => (each === "" ? null : Number(each)));
  if (bad) return say("own-says", "Whole numbers from 0 to 999,999, please.");
  if ([tp, fp, fn, tn].includes(null)) return say("own-says", "Fill in all four.");
  if (tp + fn === 0 || tn + fp === 0) return say("own-says", "Cannot be said: nobody who was verified is " + (tp + fn === 0 ? "ill." : "well."));
  const [se, sp] = [thousandth(tp, fn), thousandth(tn, fp)];
  say("own-says", "Among the verified, sensitivity " + T.percent[se] + " and specificity " + T.percent[sp] + ". If the test’s result alone decided, and a positive one was "
    + T.ratios[now.ownr] + " times as likely to be verified, in truth about " + T.truth.sensitivity[se][now.ownr] + "% and " + T.truth.specificity[sp][now.ownr] + "%.");
}

function drawAll() {
  const of = counted();
  all(".step").forEach((section) => { section.hidden = section.id !== "step-" + now.step; });
  all("[data-step]").forEach((link) => { if (link.dataset.step === now.step) link.setAttribute("aria-current", "step"); else link.removeAttribute("aria-current"); });
  byId("back").disabled = now.step === "1";
  byId("next").disabled = now.step === String(LAST);
  say("where", "Step " + now.step + " of " + LAST);
  for (const key of ["say", "picked", "policy", "trained"]) all("input[name=" + key + "]").forEach((input) => { input.checked = input.value === now[key]; });
  byId("seen").checked = now.seen === "1";
  byId("seen").disabled = now.picked === "nobody";
  byId("eye").checked = now.eye === "1";
  byId("s4-slider").value = now.r;
  const draw = {
    1: () => drawTwenty(of),
    2: () => { drawAudit(of); drawOwn(); },
    3: () => drawReveal(of),
    4: () => show(T.views.strength[now.r]),
    5: () => show(T.views.picked[now.picked === "nobody" ? "nobody" : now.seen === "1" ? "doctor" : "lot"]),
    6: () => show(T.views.policy[now.policy]),
    7: () => show(T.views.model[now.trained + (now.eye === "1" ? "-eye" : "-plain")]),
    8: () => {},
  };
  draw[now.step]();
}

function press(i) {
  const sent = counted().sent;
  const kept = sent.includes(i) ? sent.filter((each) => each !== i) : sent.length < T.places ? [...sent, i] : sent;
  set({sent: kept.map((each) => each + 1).join(".")});
}

all("#cards .card").forEach((card, i) => card.addEventListener("click", () => press(i)));
byId("send-positive").addEventListener("click", () => set({sent: T.twenty.flatMap((one, i) => (one.positive ? [i + 1] : [])).join(".")}));
byId("send-nobody").addEventListener("click", () => set({sent: ""}));
for (const key of ["say", "picked", "policy", "trained"]) all("input[name=" + key + "]").forEach((input) => input.addEventListener("change", () => set({[key]: input.value})));
for (const key of ["truth", "seen", "eye"]) byId(key).addEventListener("change", () => set({[key]: byId(key).checked ? "1" : "0"}));
for (const [id, key] of [["s4-slider", "r"], ["own-slider", "ownr"]]) {
  byId(id).addEventListener("input", () => set({[key]: byId(id).value}, false));
  byId(id).addEventListener("change", () => set({[key]: byId(id).value}));
}
for (const name of ["tp", "fp", "fn", "tn"]) byId("own-" + name).addEventListener("input", () => set({own: ["tp", "fp", "fn", "tn"].map((each) => (whole(byId("own-" + each).value, 999999) === null ? "" : byId("own-" + each).value)).join(".")}));
byId("own-example").addEventListener("click", () => set({own: T.example.own, ownr: T.example.ownr}));
byId("back").addEventListener("click", () => go(Number(now.step) - 1));
byId("next").addEventListener("click", () => go(Number(now.step) + 1));
byId("again").addEventListener("click", () => { location.hash = address(FIRST); });
byId("print").addEventListener("click", () => window.print());
all("[data-step]").forEach((link) => link.addEventListener("click", (event) => { event.preventDefault(); go(link.dataset.step); }));
byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("content").focus(); });
window.addEventListener("hashchange", () => {
  const before = now.step;
  now = read();
  timed("step", drawAll);
  if (now.step === before) return;
  window.scrollTo(0, 0);
  byId("h-" + now.step).focus({preventScroll: true});
});
now = read();
timed("open", drawAll);
