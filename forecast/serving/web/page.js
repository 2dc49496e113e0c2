// What script adds to pages that work without it: offline, copy and print, the palette, two forms.

const root = new URL("..", import.meta.url);
const numbers = new Intl.NumberFormat(document.documentElement.lang);

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register(new URL("sw.js", root), { scope: root.pathname }).catch(() => {});
}

const offline = document.querySelector(".offline");
function sayWhetherOffline() {
  offline.textContent = document.body.dataset.offline;
  offline.hidden = navigator.onLine;
}
addEventListener("online", sayWhetherOffline);
addEventListener("offline", sayWhetherOffline);
sayWhetherOffline();

const palette = document.querySelector("#palette");
if (palette) {
  palette.checked = localStorage.palette === "1";
  palette.addEventListener("change", () => {
    localStorage.palette = palette.checked ? "1" : "0";
    document.documentElement.classList.toggle("daltonien", palette.checked);
  });
}
document.documentElement.classList.toggle("daltonien", localStorage.palette === "1");

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
  const headers = { ...request.headers, "accept-language": document.documentElement.lang };
  if (key) headers.authorization = `Bearer ${key}`;
  const answer = await fetch(new URL(path, root), { ...request, headers });
  return { status: answer.status, body: await answer.json() };
}

function handle(id, submit) {
  const form = document.getElementById(id);
  if (!form) return;
  const place = document.querySelector(".answer");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    place.classList.remove("fault");
    try {
      place.replaceChildren(...(await submit(form, place)));
    } catch (error) {
      place.classList.add("fault");
      place.textContent = filled(form.dataset.failed, { reason: error.message });
    } finally {
      button.disabled = false;
    }
  });
}

function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function refuse({ detail, errors = [] }) {
  throw new Error([detail, ...errors.map((e) => `${e.parameter}: ${e.message}`)].join(" "));
}

handle("scenario", async (form) => {
  const given = new FormData(form);
  const [zone_id, target_date] = [given.get("zone_id"), given.get("target_date")];
  const body = { zone_id: [zone_id], from: target_date, to: target_date };
  const weather = { target_date, zone_id };
  for (const name of ["temperature_max", "precipitation", "sunshine", "wind_gust"]) {
    if (given.get(name) !== "") weather[name] = Number(given.get(name));
  }
  if (Object.keys(weather).length > 2) body.weather = [weather];
  if (given.get("attendance")) {
    const name = given.get("event") || "–";
    body.events = [{ zone_id, date: target_date, name, attendance: Number(given.get("attendance")) }];
  }
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const found = await ask("v1/scenarios", request, given.get("key"));
  if (found.status !== 200) refuse(found.body);
  const levels = JSON.parse(form.dataset.levels);
  return found.body.forecasts.flatMap(({ baseline, scenario, difference }) => [
    paragraph(filled(form.dataset.result, {
      zone: scenario.zone_name,
      day: form.elements.target_date.selectedOptions[0].textContent,
      before: numbers.format(baseline.influx.p50),
      after: numbers.format(scenario.influx.p50),
      difference: `${difference < 0 ? "−" : "+"}${numbers.format(Math.abs(difference))}`,
      level: levels[scenario.level] ?? "–",
    })),
    ...(scenario.why ? [paragraph(scenario.why)] : []),
  ]);
});

handle("send", async (form, place) => {
  const given = new FormData(form);
  const file = given.get("file");
  const query = new URLSearchParams({ filename: file.name, dry_run: given.has("dry_run") });
  const request = { method: "POST", headers: { "content-type": "text/csv" }, body: file };
  const path = `v1/sources/${given.get("source")}/files?${query}`;
  const { status, body } = await ask(path, request, given.get("key"));
  if (!body.report) refuse(body);
  const { report } = body;
  place.classList.toggle("fault", status !== 200);
  const words = form.dataset;
  const first =
    status !== 200
      ? filled(words.refused, { errors: numbers.format(report.errors) })
      : given.has("dry_run")
        ? words.checked
        : filled(words.done, body);
  return [paragraph(first), ...(report.problems.length ? [listed(report.problems, words)] : [])];
});

function listed(problems, words) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of JSON.parse(words.headings)) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const problem of problems) {
    const row = body.insertRow();
    for (const name of ["line", "column", "value", "message", "advice"]) {
      row.insertCell().textContent = problem[name] ?? "";
    }
  }
  return table;
}
