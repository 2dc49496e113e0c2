// What script adds to pages that work without it: offline, copy and print, the palette, two forms.

const root = new URL("..", import.meta.url);
const { lang } = document.documentElement;
const numbers = new Intl.NumberFormat(lang === "fr" ? "fr-FR" : "en-GB");

if ("serviceWorker" in navigator) {
  // After the page: what is kept for later must not slow down what is wanted now.
  addEventListener("load", () => {
    const worker = new URL("sw.js", root);
    navigator.serviceWorker.register(worker, { scope: root.pathname }).catch(() => {});
  });
}

const offline = document.getElementById("offline");
addEventListener("online", () => (offline.hidden = true));
addEventListener("offline", () => (offline.hidden = false));
if (!navigator.onLine) offline.hidden = false;

const LATE = 2.4 * 3600 * 1000; // A tenth of a day, as the server counts missed publications.
const overdue = Date.now() - Date.parse(document.body.dataset.next) > LATE;
document.getElementById("overdue").hidden = !overdue;

let kept = { getItem: () => null, setItem: () => {} };
try {
  kept = localStorage;
} catch {
  // Storage is switched off: the choice of colours lasts as long as the page.
}
const palette = document.getElementById("palette");
function colour(chosen) {
  document.documentElement.classList.toggle("daltonien", chosen);
  if (palette) palette.checked = chosen;
}
colour(kept.getItem("palette") === "1");
palette?.addEventListener("change", () => {
  kept.setItem("palette", palette.checked ? "1" : "0");
  colour(palette.checked);
});

// The day shown on the map is part of the address, so that a copied link shows it.
const days = document.querySelectorAll("input[name=day]");
for (const day of days) {
  if (day.value && location.hash === `#${day.value}`) day.checked = true;
  const address = day.value ? `#${day.value}` : location.pathname;
  day.addEventListener("change", () => history.replaceState(null, "", address));
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const name = button.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.href);
    button.textContent = button.dataset.copy;
    setTimeout(() => (button.textContent = name), 2000);
  });
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

async function ask(path, request, key) {
  const headers = { ...request.headers, "accept-language": lang };
  if (key) headers.authorization = `Bearer ${key}`;
  const answer = await fetch(new URL(path, root), { ...request, headers });
  return { status: answer.status, body: await answer.json() };
}

function handle(id, submit) {
  const form = document.getElementById(id);
  if (!form) return;
  const words = JSON.parse(form.dataset.words);
  const place = document.querySelector(".answer");
  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = form.elements[name];
    if (field?.tagName === "SELECT" && [...field.options].some((o) => o.value === value)) {
      field.value = value;
    }
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    place.replaceChildren();
    place.classList.remove("fault");
    try {
      place.replaceChildren(...(await submit(form, words, place)));
    } catch (error) {
      place.classList.add("fault");
      place.replaceChildren(paragraph(filled(words.failed, { reason: error.message })));
    } finally {
      button.disabled = false;
    }
  });
}

function paragraph(text, language) {
  const element = document.createElement("p");
  element.textContent = text;
  if (language) element.lang = language;
  return element;
}

function table(heads, rows, named) {
  const element = document.createElement("table");
  const head = element.createTHead().insertRow();
  for (const name of heads) head.append(headed("col", name));
  const body = element.createTBody();
  for (const cells of rows) {
    const row = body.insertRow();
    for (const [i, text] of cells.entries()) {
      const cell = named && i === 0 ? headed("row", text) : row.insertCell();
      cell.textContent = text;
      row.append(cell);
    }
  }
  return element;
}

function headed(scope, text) {
  const cell = document.createElement(text || scope === "row" ? "th" : "td");
  if (cell.tagName === "TH") cell.scope = scope;
  cell.textContent = text;
  return cell;
}

function refuse({ detail, errors = [] }) {
  throw new Error([detail, ...errors.map((e) => `${e.parameter}: ${e.message}`)].join(" "));
}

// As forecast.french.rounding_step: the round number that a band supports.
function step({ low, high }) {
  const width = Math.max(high - low, 1) / 20;
  return 10 ** Math.max(0, Math.floor(Math.log10(width) + 0.5));
}

handle("scenario", async (form, words) => {
  const given = new FormData(form);
  const [zone_id, target_date] = [given.get("zone_id"), given.get("target_date")];
  const body = { zone_id: [zone_id], from: target_date, to: target_date };
  const weather = { target_date, zone_id };
  for (const name of ["temperature_max", "precipitation", "sunshine", "wind_gust"]) {
    if (given.get(name) !== "") weather[name] = Number(given.get(name));
  }
  if (Object.keys(weather).length > 2) body.weather = [weather];
  if (given.get("attendance") !== "") {
    const name = given.get("event").trim() || "?";
    body.events = [{ zone_id, date: target_date, name, attendance: Number(given.get("attendance")) }];
  }
  if (!body.weather && !body.events) throw new Error(words.empty);
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const found = await ask("v1/scenarios", request, given.get("key"));
  if (found.status !== 200) refuse(found.body);
  const day = form.elements.target_date.selectedOptions[0].textContent;
  return found.body.comparisons.flatMap((one) => compared(one, day, words));
});

function compared({ zone_name: zone, baseline, scenario, difference, why }, day, words) {
  const unit = step(baseline.interval_80);
  const round = (value) => numbers.format(unit * Math.round(value / unit));
  const signed = `${difference < 0 ? "−" : "+"}${round(Math.abs(difference))}`;
  const values = {
    zone,
    day,
    before: round(baseline.influx.p50),
    after: round(scenario.influx.p50),
    difference: signed,
  };
  const sides = [baseline, scenario];
  const cells = [
    sides.map(({ influx }) => round(influx.p50)),
    sides.map(({ interval_80: { low, high } }) => `${round(low)} – ${round(high)}`),
    sides.map(({ level }) => words.levels[level] ?? words.none),
  ];
  const rows = cells.map((pair, i) => [words.rows[i], ...pair]);
  const same = values.before === values.after;
  return [
    paragraph(filled(same ? words.same : words.result, values)),
    table(words.heads, rows, true),
    ...(why && !same ? [paragraph(why, "fr")] : []),
  ];
}

handle("send", async (form, words, place) => {
  const given = new FormData(form);
  const file = given.get("file");
  const query = new URLSearchParams({ filename: file.name, dry_run: given.has("dry_run") });
  const request = { method: "POST", headers: { "content-type": "text/csv" }, body: file };
  const path = `v1/sources/${given.get("source")}/files?${query}`;
  const { status, body } = await ask(path, request, given.get("key"));
  if (!body.report) refuse(body);
  const { report } = body;
  place.classList.toggle("fault", status !== 200);
  const count = (names) => Object.fromEntries(names.map((n) => [n, numbers.format(body[n])]));
  let said = filled(words.refused, { errors: numbers.format(report.errors) });
  if (status === 200) {
    said = body.dry_run ? words.checked : filled(words.done, count(["new", "known", "revised"]));
  }
  const more = filled(words.more, { count: numbers.format(report.not_listed) });
  return [
    paragraph(said),
    ...(report.problems.length ? [table(words.heads, report.problems.map((one) => cells(one, words)))] : []),
    ...(report.not_listed ? [paragraph(more)] : []),
  ];
});

// One problem of the report, which comes in the language that ask() asks for: the page's.
function cells({ severity, line, column, value, what, expected, advice }, words) {
  const message = expected ? filled(words.expected, { what, expected }) : what;
  return [line ?? "", column, value, filled(words[severity], { message }), advice];
}
